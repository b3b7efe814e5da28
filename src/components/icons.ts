/** Our own icons. */
import { LabIcon } from '@jupyterlab/ui-components';

/** The mark of MLTrack: lines between three axes, one of them picked out. */
export const mltrackIcon = new LabIcon({
  name: 'mltrack-jupyter:mark',
  // Lab fills whatever has both this class and a fill attribute: hence the style.
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3" style="fill: none" stroke="#616161" stroke-linecap="round">
    <path stroke-width="2" d="M4 3v18M12 3v18M20 3v18"/>
    <path stroke-width="1.4" d="M4 17 12 8 20 12" opacity="0.65"/>
    <path stroke-width="2.4" stroke-linejoin="round" d="M4 7 12 16 20 6"/>
  </g>
</svg>`
});
