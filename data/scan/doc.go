// Package scan reads what real scanners export and turns it into a B-mode
// picture with a stiffness map in kPa beside it. It owns the reading of screens
// (PNG, JPEG, TIFF, frames of DICOM): where the two views, the SWE box, the colour bar and the
// depth ruler are, how opaque the overlay is, and which stiffness a colour
// stands for, taken from the bar of the very same picture.
//
// It never guesses silently. Every decision carries a confidence and a reason
// (Layout), and below its confidence a decision is a RefusedError that says what
// was missing, how to supply it, and shows what was seen. It knows neither
// planes nor cohorts nor training: it hands back arrays, a physical pixel size
// and a display limit.
//
// Coordinates: pixels of the file, x to the right (lateral), y down (depth),
// rectangles half open as in package image. Arrays are row-major
// [depth, lateral]. Stiffness is Young's modulus in kPa, lengths are mm.
//
// Reading order of the code: Analyse (analyse.go) is the whole story; sight.go
// prepares the pixels; bar.go (its colours: curve.go), box.go, view.go, twin.go and ticks.go
// each find one thing; text.go and glyphs.go read the printed numbers; contrast.go
// takes the opacity from the speckle and invert.go turns colours into kPa. Of a
// JPEG, coded.go takes the bar's colours from the coefficients, denoise.go takes
// the noise out of the map and mask.go finds the map's rim. layout.go and
// annotate.go say and show what was decided. region.go holds what the file itself
// says; array.go, numpy.go and nifti.go read arrays; overlay.go draws a synthetic
// map the way scanners do. Package intake makes cohorts of all this; package
// example draws screens of which everything is known.
package scan
