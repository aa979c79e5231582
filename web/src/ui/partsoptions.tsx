/** The options of painting parts, over the canvas. */

export function PartsOptions() {
  return <p class="quiet" data-testid="parts-options" />;
}
