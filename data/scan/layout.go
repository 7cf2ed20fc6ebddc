package scan

import (
	"fmt"
	"image"
	"strings"
)

// Finding is one decision about a screen.
type Finding struct {
	Name       string          // what was looked for
	Where      image.Rectangle // where it lies in the file's pixels; empty when it has no place or was not found
	Value      string          // what was read there, with its unit; "" for a mere place
	Confidence float64         // 0..1; 0 means not found, 1 given by the user
	Reason     string          // why it is believed, or why not
}

// Found tells whether there is anything to believe.
func (f Finding) Found() bool { return f.Confidence > 0 }

// String is one line for the command line.
func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-13s", f.Name)
	if !f.Where.Empty() {
		fmt.Fprintf(&b, " x %d-%d, y %d-%d", f.Where.Min.X, f.Where.Max.X-1, f.Where.Min.Y, f.Where.Max.Y-1)
	}
	if f.Value != "" {
		fmt.Fprintf(&b, " %s", f.Value)
	}
	if f.Found() {
		fmt.Fprintf(&b, " (confidence %.2f: %s)", f.Confidence, f.Reason)
	} else {
		fmt.Fprintf(&b, " not found (%s)", f.Reason)
	}
	return b.String()
}

// Layout is everything the importer decided about a screen. Rectangles are in
// the file's pixels.
type Layout struct {
	ColourBar   Finding // strip of the overlay's colours
	GreyBar     Finding // strip of the B-mode's greys beside it; nothing depends on it
	Scale       Finding // display limit at the bar's top
	OverlayView Finding // B-mode with the SWE overlay
	OverlayBox  Finding // SWE box there, its outline included
	Twin        Finding // shift from the overlay view to the plain view
	PlainView   Finding // the same B-mode without overlay
	PlainBox    Finding // SWE box there
	Ticks       Finding // depth ruler and physical pixel size
	Opacity     Finding // of the overlay over the B-mode
	Colours     Finding // how well the overlay's colours lie on the bar's

	Shift [2]float64 // x, y from the overlay view to the plain view, px, sub-pixel
}

// Findings lists the decisions in the order they were taken.
func (l Layout) Findings() []Finding {
	return []Finding{l.ColourBar, l.GreyBar, l.Scale, l.OverlayView, l.OverlayBox, l.Twin,
		l.PlainView, l.PlainBox, l.Ticks, l.Opacity, l.Colours}
}

// String reports one decision a line: what, where, how sure and why. Decisions
// that were never reached, because an earlier one refused, are left out.
func (l Layout) String() string {
	var b strings.Builder
	for _, f := range l.Findings() {
		if f.Name != "" {
			fmt.Fprintln(&b, f)
		}
	}
	return b.String()
}
