import { announcement, dismiss, messages } from '../state/messages.ts';
import { common } from '../texts/en/common.ts';
import { Icon } from './icons.tsx';

/** The messages, and the one polite live region that reads them. */
export const Messages = () => (
  <>
    <div class="visually-hidden" role="status" aria-live="polite">
      {announcement}
    </div>
    <section class="messages" aria-label={common.messages}>
      {messages.value.map(({ id, text, isProblem, action }) => (
        <div key={id} class={isProblem ? 'message is-problem' : 'message'}>
          <span>{text}</span>
          {action && (
            <button
              type="button"
              onClick={() => {
                dismiss(id);
                action.run();
              }}
            >
              <Icon name="undo" />
              {action.label}
            </button>
          )}
          <button type="button" class="icon-button" aria-label={common.dismiss} onClick={() => dismiss(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </section>
  </>
);
