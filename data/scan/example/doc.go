// Package example draws scanner screens of which everything is known: two views
// of an imaging plane, one of them under a coloured stiffness overlay, with an
// outlined SWE box, a colour bar with printed numbers, a grey bar and a depth
// ruler. Tests and lessons draw them, read them back and compare.
//
// It owns the drawing alone, and it shares no code with package scan, which
// reads such screens: a mistake in one can't hide in the other. It is nobody's
// scanner in particular, its typeface is none that package scan learned its
// digits from, and every screen has "SIMULATED SCREEN" burned in.
//
// Coordinates are those of package scan: pixels, x to the right (lateral), y
// down (depth); arrays are row-major [depth, lateral]; stiffness is Young's
// modulus in kPa.
package example
