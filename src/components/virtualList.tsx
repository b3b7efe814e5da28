/** A list that only draws the rows in sight. */
import * as React from 'react';

/** What a list needs. */
export interface VirtualListProps {
  readonly count: number;
  readonly rowHeight: number;
  /** Name of the list for the screen reader. */
  readonly label: string;
  readonly testId: string;
  /** A plain list, or a table whose header is the first row. */
  readonly role?: 'listbox' | 'grid';
  /** The header of a table; it stays in sight. */
  readonly header?: React.ReactElement;
  /** Width of a row that is wider than the view. */
  readonly width?: number;
  /** Several rows can be chosen. */
  readonly multiple?: boolean;
  /** The row the keyboard is at. */
  readonly active: number;
  row(index: number): React.ReactElement;
  rowId(index: number): string;
  onActive(index: number): void;
  /** Any other key. */
  onKey?(event: React.KeyboardEvent, index: number): void;
  /** The last rows came into sight. */
  onEnd?(): void;
}

/** Rows drawn beyond the edges, so that scrolling never shows a gap. */
const MARGIN = 8;

function nextIndex(
  event: React.KeyboardEvent,
  at: number,
  page: number,
  count: number
): number {
  switch (event.key) {
    case 'ArrowDown':
      return Math.min(count - 1, at + 1);
    case 'ArrowUp':
      return Math.max(0, at - 1);
    case 'PageDown':
      return Math.min(count - 1, at + page);
    case 'PageUp':
      return Math.max(0, at - page);
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return -1;
  }
}

function useWindow(
  node: React.RefObject<HTMLDivElement>,
  rowHeight: number
): [number, number, () => void] {
  const [range, setRange] = React.useState<[number, number]>([0, 40]);
  const measure = React.useCallback(() => {
    const { scrollTop, clientHeight } = node.current ?? {
      scrollTop: 0,
      clientHeight: 0
    };
    const from = Math.floor(scrollTop / rowHeight);
    // A hidden panel has no height: it keeps the rows it had.
    // The header takes no row away: one row more at the end makes up for it.
    const to = from + 1 + Math.ceil((clientHeight || 600) / rowHeight);
    setRange(old => (old[0] === from && old[1] === to ? old : [from, to]));
  }, [node, rowHeight]);
  React.useEffect(() => {
    measure();
    if (!node.current || typeof ResizeObserver === 'undefined') {
      return undefined;
    }
    const observer = new ResizeObserver(measure);
    observer.observe(node.current);
    return () => observer.disconnect();
  }, [node, measure]);
  return [range[0], range[1], measure];
}

/** The list. */
export function VirtualList(props: VirtualListProps): React.ReactElement {
  const { count, rowHeight, active, onEnd } = props;
  const node = React.useRef<HTMLDivElement>(null);
  const [from, to, measure] = useWindow(node, rowHeight);
  const first = Math.max(0, from - MARGIN);
  const last = Math.min(count, to + MARGIN);
  React.useEffect(() => {
    if (to + MARGIN >= count) {
      onEnd?.();
    }
  }, [to, count, onEnd]);
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const page = Math.max(1, to - from - 1);
    const next = nextIndex(event, active, page, count);
    if (next < 0 || event.altKey) {
      props.onKey?.(event, active);
      return;
    }
    event.preventDefault();
    reveal(node.current, next, rowHeight);
    props.onActive(next);
    props.onKey?.(event, next);
  };
  const rows = Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i);
  return (
    <div
      ref={node}
      className="mltrack-List"
      role={props.role ?? 'listbox'}
      aria-rowcount={props.role === 'grid' ? count + 1 : undefined}
      tabIndex={0}
      aria-label={props.label}
      aria-multiselectable={props.multiple || undefined}
      aria-activedescendant={
        active >= 0 && active < count ? props.rowId(active) : undefined
      }
      data-testid={props.testId}
      onScroll={measure}
      onKeyDown={onKeyDown}
    >
      {props.header}
      <div
        className="mltrack-List-sheet"
        role="presentation"
        style={{ height: count * rowHeight, minWidth: props.width }}
      >
        {rows.map(index => (
          <div
            key={props.rowId(index)}
            className="mltrack-List-place"
            role="presentation"
            style={{ top: index * rowHeight, height: rowHeight }}
          >
            {props.row(index)}
          </div>
        ))}
      </div>
    </div>
  );
}

function reveal(node: HTMLDivElement | null, index: number, rowHeight: number): void {
  if (!node) {
    return;
  }
  const top = index * rowHeight;
  if (top < node.scrollTop) {
    node.scrollTop = top;
  } else if (top + rowHeight > node.scrollTop + node.clientHeight) {
    node.scrollTop = top + rowHeight - node.clientHeight;
  }
}
