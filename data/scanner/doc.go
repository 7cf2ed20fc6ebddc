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
// Everything runs as plain Go on float32 slices, not as XLA graphs, by measurement on
// an AMD EPYC against XLA's CPU compiler (through JAX 0.10.2). The point-spread function
// of a frame (667 x 491 samples, 25 zones, 29 taps) takes 0.11 s of processor time here
// and 0.13 s there, after 5.8 s of compilation that is due again for every other depth,
// frequency or box. The elastic stencil runs at 370 million cell-steps a second there on
// one core against 140 to 175 million here, but compiles for 1.1 s, what two planes
// cost. The rest is gathers and small FFTs. Plain Go keeps this package free of a
// backend and its bytes free of the number of threads.
//
// A B-mode frame takes 0.2 to 0.4 s on two cores. SIMUS (PyMUST 0.1.9) takes 52 s for
// one transmit over 20 000 scatterers: 130 to 260 times as long for one of the frame's
// 491 lines, and hours for all of them, even culled to the scatterers near each beam
// (extrapolated). BenchmarkBMode prints the ratio; the same scatterers correlate 0.9997.
//
// Coordinates: images are row-major [depth, lateral]. z grows away from the probe
// face (row 0), x is lateral with 0 at column Width/2. Polar coordinates (r, theta)
// are about the array's centre of curvature, which lies at z = -RadiusMM.
//
// Every image made here is simulated. It is not for diagnosis.
package scanner
