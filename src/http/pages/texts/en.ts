import type { ReportReason } from '../../../reports/report.ts';
import type { ProblemType } from '../../problems/problem-types.ts';

/** The texts of pages for visitors in English. Each other language has the same ones. */
export const en = {
  language: 'en',
  /** For dates. */
  locale: 'en-GB',
  contact: 'Contact',
  error: (status: number) => `Error ${status}`,
  home: {
    title: 'Short links',
    text: 'This service makes short links, which redirect to longer ones.',
    link: 'Short link',
    preview: 'Preview of its destination: add a plus sign',
    report: 'Report a link',
    docs: 'API documentation',
  },
  interstitial: {
    password: 'This link requires a password',
    confirmation: 'Open this link?',
    oneTime: 'This link works only once. After you open it, no one can open it again.',
    label: 'Password',
    open: 'Open link',
    wrong: 'The password is incorrect.',
    wrongTitle: 'Incorrect password',
  },
  preview: {
    title: 'Link preview',
    redirectsTo: (shortUrl: string) => `${shortUrl} redirects to`,
    description: (host: string) => `Redirects to ${host}`,
    behindPassword: 'Its destination is shown after the password is entered.',
    behindConfirmation: 'Its destination is shown when the link is opened.',
    name: 'Title',
    created: 'Created',
    expires: 'Expires',
    open: 'Open link',
    report: 'Report this link',
  },
  report: {
    title: 'Report a link',
    code: 'Short code (the part after the slash)',
    reason: 'Reason',
    reasons: {
      phishing: 'It imitates another site (phishing)',
      malware: 'It contains malware',
      spam: 'It is spam',
      illegal: 'It contains illegal content',
      other: 'Other',
    } satisfies Record<ReportReason, string> as Record<ReportReason, string>,
    comment: 'Comment (optional)',
    send: 'Report link',
    thanks: 'Thank you',
    received: 'We will review your report.',
  },
  /** In addition to the text of `not-found`. */
  notFound: {
    caseMatters: 'Upper and lower case letters are different.',
    removed: 'The owner may also have removed the link.',
  },
  problems: {
    'not-found': {
      title: 'Link not found',
      text: 'Please check each letter of the address: l, I and 1 look alike, and so do O and 0.',
    },
    expired: {
      title: 'This link has expired',
      text: 'It was valid for a limited time. The person who shared it may have a new one.',
    },
    exhausted: {
      title: 'This link has reached its click limit',
      text: 'It could be opened a limited number of times. The person who shared it may have a new one.',
    },
    blocked: {
      title: 'This link is blocked',
      text: 'The site that this link redirects to is blocked by this service.',
    },
    'too-many-attempts': {
      title: 'Too many attempts',
      text: 'The password was entered incorrectly too often. Please try again later.',
    },
    'rate-limited': {
      title: 'Too many requests',
      text: 'Your network has sent too many requests. Please try again in a minute.',
    },
    'cross-origin-request': {
      title: 'Please open the link directly',
      text: 'Another site tried to open this link for you. For your protection, this is not allowed.',
    },
    unavailable: {
      title: 'Temporarily unavailable',
      text: 'The service is temporarily unavailable. Please try again in a moment.',
    },
    'internal-error': {
      title: 'Something went wrong',
      text: 'The service could not answer this request. Please try again later.',
    },
  } satisfies Partial<Record<ProblemType, ProblemText>>,
  otherProblem: 'This request was not accepted',
};

interface ProblemText {
  title: string;
  text: string;
}

export type Texts = typeof en;
