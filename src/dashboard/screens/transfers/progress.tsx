/** A progress bar; a percentage from 0 to 100. */
export const Progress = ({ percent, label }: { percent: number; label: string }) => (
  <div class="progress-line">
    <progress max={100} value={percent} aria-label={label} />
    <span class="quiet number">{Math.floor(percent)} %</span>
  </div>
);
