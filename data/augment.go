package data

import (
	"math"
	"math/rand/v2"
)

// Augmentation is what may change between two scans of like tissue without changing its stiffness.
// Assumption: the papers are silent. There is no vertical flip: depth is physics (attenuation, focus, push strength).
type Augmentation struct {
	FlipLateral    bool    `json:"flip_lateral"`     // mirror left and right, half of the time
	ShiftLateralMM float64 `json:"shift_lateral_mm"` // uniform in ±, mm
	ShiftDepthMM   float64 `json:"shift_depth_mm"`   // uniform in ±, mm: couplant thickness, probe pressure
	Stretch        float64 `json:"stretch"`          // lateral and axial scale 1 + uniform in ±: larger and smaller glands
	GainDelta      float64 `json:"gain_delta"`       // grey level added, uniform in ±, of 1
	GammaRange     float64 `json:"gamma_range"`      // exponent exp(uniform in ±)
	SpeckleSD      float64 `json:"speckle_sd"`       // of the grey level, of 1: another realisation of the speckle, additive after log compression
}

// Apply returns an augmented copy of the sample. The image and everything drawn on it move together; gain, gamma and
// speckle change the image alone. Pixels that come in from outside are black and carry no stiffness.
func (a Augmentation) Apply(s *Sample, rng *rand.Rand) *Sample {
	symmetric := func(amplitude float64) float64 { return amplitude * (2*rng.Float64() - 1) }
	flip := rng.IntN(2) == 1 && a.FlipLateral
	dx, dy := math.Round(symmetric(a.ShiftLateralMM)/s.Grid.MMPerPx), math.Round(symmetric(a.ShiftDepthMM)/s.Grid.MMPerPx)
	scaleX, scaleY := 1+symmetric(a.Stretch), 1+symmetric(a.Stretch)
	gain, gamma := symmetric(a.GainDelta), math.Exp(symmetric(a.GammaRange))

	n, h, w := s.Grid.Pixels(), s.Grid.Height, s.Grid.Width
	out := &Sample{Patient: s.Patient, Plane: s.Plane, Grid: s.Grid, ScaleMaxKPa: s.ScaleMaxKPa,
		Image: make([]float32, n), TargetKPa: make([]float32, n), Mask: make([]bool, n), Saturated: make([]bool, n)}
	middle := float64(w-1) / 2
	for y := range h {
		fromY := int(math.Round((float64(y) - dy) / scaleY)) // the probe's face stays where it is
		for x := range w {
			fromX := int(math.Round((float64(x)-dx-middle)/scaleX + middle))
			if flip {
				fromX = w - 1 - fromX
			}
			if fromY < 0 || fromY >= h || fromX < 0 || fromX >= w {
				continue
			}
			i, j := y*w+x, fromY*w+fromX
			out.TargetKPa[i], out.Mask[i], out.Saturated[i] = s.TargetKPa[j], s.Mask[j], s.Saturated[j]
			if v := float64(s.Image[j]); v > 0 { // black stays black: the sector's outside has no gain
				v = math.Pow(v, gamma) + gain
				if a.SpeckleSD > 0 {
					v += a.SpeckleSD * rng.NormFloat64()
				}
				out.Image[i] = float32(min(1, max(0, v)))
			}
		}
	}
	return out
}
