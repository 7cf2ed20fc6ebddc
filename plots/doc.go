// Package plots draws the figures of the study: one figure a function, one file an idea.
//
// It owns how a result looks: sizes of a journal's column, fonts, colour maps, axes with units, colour bars, histopathology outlines, and the
// files that come of it (PNG at 300 dpi, SVG, PDF). It takes plain structs and slices, so that it depends on no other room of the house.
//
// It never computes a statistic. What a figure states (a mean, an interval, a slope, an area) comes in as a number; the only arithmetic here serves
// the drawing itself: binning of histograms and densities, axis limits, the pixel-wise difference that an error panel shows, and the quartiles and
// averages that place a box or a bar among the very points it summarises.
//
// Conventions: images are row-major [depth, lateral]; elasticity is Young's modulus in kPa; lengths are mm; missing values are NaN and are drawn in
// neutral grey. The same input gives the same bytes in each format. Input that cannot be drawn is refused with an error that names the figure and the argument.
package plots
