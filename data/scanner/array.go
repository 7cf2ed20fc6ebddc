package scanner

import "math"

// array is the probe at one transmit frequency, in coordinates about the centre of
// curvature: the beam leaves along +z from the apex at z = RadiusMM.
type array struct {
	s            Scanner
	frequencyMHz float64
	angles       []float64 // of the receive elements from the beam's axis, rad
}

func newArray(s Scanner, frequencyMHz float64) *array {
	a := &array{s: s, frequencyMHz: frequencyMHz, angles: make([]float64, s.ReceiveElements)}
	for e := range a.angles {
		a.angles[e] = a.elementAngle(e, s.ReceiveElements)
	}
	return a
}

func (a *array) elementAngle(e, of int) float64 {
	return (float64(e) - float64(of-1)/2) * a.s.PitchMM() / a.s.RadiusMM
}

// spectrum is the pulse-echo spectrum: a one-cycle excitation seen twice through
// the probe, whose response is a generalised normal window (SIMUS, Garcia 2022).
func (a *array) spectrum(mhz float64) float64 {
	sinc := func(x float64) float64 {
		if math.Abs(x) < 1e-9 {
			return 1
		}
		return math.Sin(x) / x
	}
	fc, nominal := a.frequencyMHz, a.s.FrequencyMHz
	excitation := sinc(math.Pi*(mhz-fc)/fc) - sinc(math.Pi*(mhz+fc)/fc)
	width := a.s.BandwidthPercent / 100 * nominal
	p := math.Log(126) / math.Log(2*nominal/width)
	probe := math.Exp(-math.Pow(math.Abs(mhz-fc)/(width/2/math.Pow(math.Ln2, 1/p)), p))
	return excitation * probe
}

// element returns the distance from an element to a point, and its sensitivity
// there: obliquity of a soft baffle, directivity of its width, spherical spreading.
func (a *array) element(angle, z, x float64) (distanceMM, sensitivity float64) {
	ez, ex := a.s.RadiusMM*math.Cos(angle), a.s.RadiusMM*math.Sin(angle)
	dz, dx := z-ez, x-ex
	d := math.Hypot(dz, dx)
	cos := (dz*math.Cos(angle) + dx*math.Sin(angle)) / max(d, 1e-9)
	if cos <= 0 {
		return d, 0
	}
	half := math.Pi * a.frequencyMHz / soundSpeedMMUs * a.s.PitchMM() * math.Sqrt(max(0, 1-cos*cos))
	directivity := 1.0
	if half > 1e-6 {
		directivity = math.Sin(half) / half
	}
	return d, cos * directivity / max(d, soundSpeedMMUs/a.frequencyMHz/2)
}

// receiveHalfMM is half the width of the receive apodization at a depth. Deep down
// it is wider than the aperture, whose weights then become almost equal.
func (a *array) receiveHalfMM(depthMM float64) float64 {
	return max(depthMM/a.s.ReceiveFNumber/2, 1)
}

// receiveWeight is the Hamming apodization of an element for a depth.
func (a *array) receiveWeight(angle, depthMM float64) float64 {
	half := a.receiveHalfMM(depthMM)
	x := a.s.RadiusMM * math.Sin(angle)
	if math.Abs(x) > half {
		return 0
	}
	return 0.54 + 0.46*math.Cos(math.Pi*x/half)
}

// edgeGain is the relative amplitude of a line whose aperture runs over the end of
// the array, by the fraction of transmit and receive elements that it keeps. The
// line's point-spread function is left as it is (assumption: only the level falls).
func (a *array) edgeGain(lineRad, depthMM float64) float64 {
	limit := a.s.FieldOfViewDeg / 2 * math.Pi / 180
	if math.Abs(lineRad)+max(a.angles[len(a.angles)-1], a.elementAngle(a.s.TransmitElements-1, a.s.TransmitElements)) <= limit {
		return 1
	}
	var on, all, rxOn, rxAll float64
	for e := range a.s.TransmitElements {
		all++
		if math.Abs(lineRad+a.elementAngle(e, a.s.TransmitElements)) <= limit {
			on++
		}
	}
	for _, angle := range a.angles {
		w := a.receiveWeight(angle, depthMM)
		rxAll += w
		if math.Abs(lineRad+angle) <= limit {
			rxOn += w
		}
	}
	return on / all * rxOn / rxAll
}
