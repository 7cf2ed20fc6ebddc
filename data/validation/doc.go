// Package validation measures the simulation against what is published: the scanner on phantoms made for the purpose, as
// a physicist would on a real machine, and a cohort on its own planes.
//
// It sees the scanner only from outside: the B-mode picture and the stiffness map that data/scanner returns. What needs
// the scanner's inside (point-spread functions against SIMUS, elastic against scalar waves) is asserted by Go tests,
// which the report names. It owns the acceptance table, its verdicts and its figures. It never makes or changes a cohort,
// never tunes anything, and never turns a row that does not hold into one that does.
//
// Units: mm, dB, kPa, dB/cm/MHz. Every number is of a simulation.
package validation
