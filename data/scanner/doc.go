// Package scanner turns tissue maps into what an ultrasound scanner would show: a
// B-mode image and a shear-wave elastogram of the same plane.
//
// It owns image formation: the array and its point-spread function, speckle,
// attenuation, noise, gain, log compression and scan conversion on one side; the
// acoustic push, shear-wave propagation, tracking noise, time of flight and the
// display limit on the other. It never knows patients, tumours or pathology: a
// [Medium] is all it sees. B-mode never reads stiffness, and stiffness noise never
// shares a random stream with echo noise, so that nothing leaks between the two.
//
// Everything runs as plain Go on float32 slices, not as XLA graphs. Measured on one
// core of an AMD EPYC, XLA's CPU compiler (through JAX) runs the bare elastic stencil
// at 370 million cell-steps a second against 140 to 175 million here, but compiles
// for 1.1 s for every size of box, which is what the stencil costs for two planes;
// and the rest of a plane is short convolutions, gathers and small FFTs. Plain Go
// keeps this package free of a backend and its bytes free of the number of threads.
//
// Coordinates: images are row-major [depth, lateral]. z grows away from the probe
// face (row 0), x is lateral with 0 at column Width/2. Polar coordinates (r, theta)
// are about the array's centre of curvature, which lies at z = -RadiusMM.
//
// Every image made here is simulated. It is not for diagnosis.
package scanner
