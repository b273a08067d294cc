import { Menu } from '@base-ui/react/menu';
import { Dots, type RowMenuProps } from './RowMenu.tsx';

export default function OpenMenu({ label, actions }: RowMenuProps) {
  return (
    <Menu.Root defaultOpen>
      <Menu.Trigger className="button button-quiet button-small row-menu" aria-label={label}>
        <Dots />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner className="menu-positioner" align="end" sideOffset={4}>
          <Menu.Popup className="menu">
            {actions.map(([text, run]) => (
              <Menu.Item key={text} className="menu-item" onClick={run}>
                {text}
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
