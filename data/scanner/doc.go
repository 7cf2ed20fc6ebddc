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
// Everything runs as plain Go on float32 slices. Both kernels are short stencils
// and short convolutions inside long sequential loops (thousands of FDTD steps,
// each over a few ten thousand cells that stay in the L2 cache).
//
// Coordinates: images are row-major [depth, lateral]. z grows away from the probe
// face (row 0), x is lateral with 0 at column Width/2. Polar coordinates (r, theta)
// are about the array's centre of curvature, which lies at z = -RadiusMM.
//
// Every image made here is simulated. It is not for diagnosis.
package scanner
