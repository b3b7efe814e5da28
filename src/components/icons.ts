/** Our own icons. */
import { LabIcon } from '@jupyterlab/ui-components';

/** The mark of MLTrack: three lines between axes, one of them picked out. */
export const mltrackIcon = new LabIcon({
  name: 'mltrack-jupyter:mark',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="none" stroke="#616161" stroke-linecap="round">
    <path stroke-width="2" d="M4 3v18M12 3v18M20 3v18"/>
    <path stroke-width="1.4" d="M4 17 12 8 20 12" opacity="0.65"/>
    <path stroke-width="2.4" stroke-linejoin="round" d="M4 7 12 16 20 6"/>
  </g>
</svg>`.replace(/fill="none" stroke="#616161"/, 'fill="none" stroke="#616161"')
});
