import type { Texts } from './en.ts';

/** The texts of pages for visitors in German. */
export const de: Texts = {
  language: 'de',
  locale: 'de-DE',
  contact: 'Kontakt',
  error: (status) => `Fehler ${status}`,
  home: {
    title: 'Kurzlinks',
    text: 'Dieser Dienst erstellt Kurzlinks, die zu längeren Adressen weiterleiten.',
    link: 'Kurzlink',
    preview: 'Vorschau des Ziels: ein Pluszeichen anhängen',
    report: 'Link melden',
    docs: 'API-Dokumentation',
  },
  interstitial: {
    password: 'Dieser Link ist mit einem Passwort geschützt',
    confirmation: 'Diesen Link öffnen?',
    oneTime: 'Dieser Link funktioniert nur einmal. Danach kann ihn niemand mehr öffnen.',
    label: 'Passwort',
    open: 'Link öffnen',
    wrong: 'Das Passwort ist falsch.',
    wrongTitle: 'Falsches Passwort',
  },
  preview: {
    title: 'Linkvorschau',
    redirectsTo: (shortUrl) => `${shortUrl} leitet weiter zu`,
    description: (host) => `Leitet weiter zu ${host}`,
    behindPassword: 'Das Ziel wird nach Eingabe des Passworts angezeigt.',
    behindConfirmation: 'Das Ziel wird beim Öffnen des Links angezeigt.',
    name: 'Titel',
    created: 'Erstellt',
    expires: 'Gültig bis',
    open: 'Link öffnen',
    report: 'Diesen Link melden',
  },
  report: {
    title: 'Link melden',
    code: 'Kurzcode (der Teil nach dem Schrägstrich)',
    reason: 'Grund',
    reasons: {
      phishing: 'Das Ziel ahmt eine andere Website nach (Phishing)',
      malware: 'Das Ziel enthält Schadsoftware',
      spam: 'Es ist Spam',
      illegal: 'Das Ziel enthält rechtswidrige Inhalte',
      other: 'Sonstiges',
    },
    comment: 'Kommentar (freiwillig)',
    send: 'Link melden',
    thanks: 'Vielen Dank',
    received: 'Wir prüfen Ihre Meldung.',
  },
  notFound: {
    caseMatters: 'Groß- und Kleinschreibung wird unterschieden.',
    removed: 'Vielleicht wurde der Link auch entfernt.',
  },
  problems: {
    'not-found': {
      title: 'Link nicht gefunden',
      text: 'Bitte prüfen Sie jeden Buchstaben der Adresse: l, I und 1 sehen ähnlich aus, O und 0 auch.',
    },
    expired: {
      title: 'Dieser Link ist abgelaufen',
      text: 'Er war nur für begrenzte Zeit gültig. Vielleicht hat die Person, von der Sie ihn haben, einen neuen.',
    },
    exhausted: {
      title: 'Dieser Link wurde zu oft geöffnet',
      text: 'Er konnte nur begrenzt oft geöffnet werden. Vielleicht hat die Person, von der Sie ihn haben, einen neuen.',
    },
    blocked: {
      title: 'Dieser Link ist gesperrt',
      text: 'Die Website, zu der dieser Link weiterleitet, ist von diesem Dienst gesperrt.',
    },
    'too-many-attempts': {
      title: 'Zu viele Versuche',
      text: 'Das Passwort wurde zu oft falsch eingegeben. Bitte versuchen Sie es später noch einmal.',
    },
    'rate-limited': {
      title: 'Zu viele Anfragen',
      text: 'Aus Ihrem Netzwerk kamen zu viele Anfragen. Bitte versuchen Sie es in einer Minute noch einmal.',
    },
    'cross-origin-request': {
      title: 'Bitte öffnen Sie den Link direkt',
      text: 'Eine andere Website wollte diesen Link für Sie öffnen. Zu Ihrem Schutz ist das nicht erlaubt.',
    },
    unavailable: {
      title: 'Vorübergehend nicht erreichbar',
      text: 'Der Dienst ist vorübergehend nicht erreichbar. Bitte versuchen Sie es gleich noch einmal.',
    },
    'internal-error': {
      title: 'Etwas ist schiefgegangen',
      text: 'Der Dienst konnte diese Anfrage nicht beantworten. Bitte versuchen Sie es später noch einmal.',
    },
  },
  otherProblem: 'Diese Anfrage wurde nicht angenommen',
};
