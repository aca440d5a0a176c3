import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Button } from '../design/button.tsx';
import { Dialog, DialogActions } from '../design/dialog.tsx';
import { useTexts } from '../language/texts.ts';
import { words } from '../language/words.ts';
import { FaultNotice } from './fault.tsx';

/** Asks before something is taken away; `children` say what happens then. It stays open with the fault when that was refused. */
export function Confirmation({
  title,
  confirm,
  icon,
  run,
  onDone,
  onClose,
  children,
}: {
  readonly title: string;
  /** What the button does, as a verb. */
  readonly confirm: string;
  readonly icon: ReactNode;
  readonly run: () => Promise<unknown>;
  readonly onDone: () => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}) {
  const w = useTexts(words);
  const doing = useMutation({ mutationFn: run, onSuccess: onDone });
  const close = (): void => {
    if (!doing.isPending) onClose();
  };
  return (
    <Dialog role="alertdialog" title={title} onClose={close}>
      {children}
      {doing.error !== null && <FaultNotice error={doing.error} />}
      <DialogActions>
        <Button look="danger" icon={icon} busy={doing.isPending} onClick={() => doing.mutate()}>
          {confirm}
        </Button>
        <Button onClick={close}>{w.cancel}</Button>
      </DialogActions>
    </Dialog>
  );
}
