import { Menu } from '@base-ui/react/menu';
import { Dots, type RowMenuProps } from './RowMenu.tsx';

/** @param byKeyboard the first action gets the focus, as in a menu that was there before it was opened */
export default function OpenMenu({ label, actions, byKeyboard }: RowMenuProps & { byKeyboard: boolean }) {
  return (
    <Menu.Root defaultOpen>
      <Menu.Trigger className="button button-quiet button-small row-menu" aria-label={label}>
        <Dots />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner className="menu-positioner" align="end" sideOffset={4}>
          <Menu.Popup className="menu">
            {actions.map(([text, run], index) => (
              <Menu.Item
                key={text}
                className="menu-item"
                onClick={run}
                ref={byKeyboard && index === 0 ? focusSoon : undefined}
              >
                {text}
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

/** Once the menu is placed: before that its popup takes the focus itself. */
const focusSoon = (item: HTMLElement | null): void => void requestAnimationFrame(() => item?.focus());
