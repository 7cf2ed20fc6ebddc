// Package phantom draws virtual patients: the anatomy of the prostate or the thyroid and of what
// surrounds it, the tissue latents behind stiffness and echogenicity, tumours, the benign look-alikes,
// and the histopathology a pathologist would draw. It answers one question: what is in this plane?
//
// It never knows how an image is formed: there is no speckle, no beam, no shear wave, no grey level
// here. A [Section] holds acoustic and elastic properties on a grid, in physical units, for a
// scanner to turn into images.
//
// Two rules keep the simulated task honest. Stiffness and echogenicity are separate, noisy
// functions of shared tissue latents, neither is computed from the other, and they share no random
// stream. And a patient is a description in space, evaluated analytically where a plane cuts it, so
// that patient 7 is the same in a cohort of 10 or of 50, at any resolution.
//
// # Frame
//
// Millimetres. x is lateral, 0 at the mid-line. z is depth from the tip of an end-fire transrectal
// probe, so the rectal wall comes first, then the peripheral zone (posterior), the transition zone
// and the anterior fibromuscular stroma. y is the elevation, 0 at mid-gland, growing to the base. In a
// neck, z is depth from the skin and y grows upwards from the middle of the lobe.
//
// Every patient here is simulated. This is research software, not a medical device.
package phantom
