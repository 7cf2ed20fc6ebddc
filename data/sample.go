package data

import "math"

// Grid is the network's image: Height x Width pixels of MMPerPx millimetres, its top row at the probe's face, centred
// laterally on the plane.
type Grid struct {
	Height, Width int
	MMPerPx       float64
}

// Pixels is Height x Width.
func (g Grid) Pixels() int { return g.Height * g.Width }

// Sample is a plane resampled to the network's grid. Row-major [Height, Width].
type Sample struct {
	Patient, Plane string
	Grid           Grid
	ScaleMaxKPa    float64

	Image     []float32 // grey level 0..1; 0 outside the plane
	TargetKPa []float32 // Young's modulus as the scanner shows it, kPa; 0 where Mask is false
	Mask      []bool    // where the scanner shows stiffness
	Saturated []bool    // censored: the modulus is at least TargetKPa

	Labels, LabelsTrue []uint8 // histopathology as registered and, for simulated planes, true; nil if there is none
}

// ID names the plane, e.g. "p007/mid".
func (s *Sample) ID() string { return s.Patient + "/" + s.Plane }

// Resample brings the plane to the network's grid by area average. A target pixel is valid where at least half of its
// area is, and saturated where at least half of that is; labels take the value at the pixel's centre.
func (p *Plane) Resample(g Grid) *Sample {
	n := g.Pixels()
	s := &Sample{Patient: p.Patient, Plane: p.Name, Grid: g, ScaleMaxKPa: p.ScaleMaxKPa,
		Image: make([]float32, n), TargetKPa: make([]float32, n), Mask: make([]bool, n), Saturated: make([]bool, n)}
	if p.Labels != nil {
		s.Labels = make([]uint8, n)
	}
	if p.LabelsTrue != nil {
		s.LabelsTrue = make([]uint8, n)
	}
	rows := spans(g.Height, p.Height, g.MMPerPx/p.MMPerPx, 0)
	cols := spans(g.Width, p.Width, g.MMPerPx/p.MMPerPx, float64(p.Width)/2-float64(g.Width)/2*g.MMPerPx/p.MMPerPx)
	full := (g.MMPerPx / p.MMPerPx) * (g.MMPerPx / p.MMPerPx)
	for y, row := range rows {
		for x, col := range cols {
			p.average(s, y*g.Width+x, row, col, full)
		}
	}
	return s
}

// average fills pixel i of s from the plane's pixels under it; full is the pixel's area in plane pixels.
func (p *Plane) average(s *Sample, i int, row, col span, full float64) {
	var grey, kPa, valid, saturated float64
	for dy, wy := range row.weights {
		for dx, wx := range col.weights {
			j, w := (row.first+dy)*p.Width+col.first+dx, wy*wx
			grey += w * float64(p.BMode[j])
			if v := p.SWEKPa[j]; !isNaN(v) {
				valid += w
				kPa += w * float64(v)
				if p.Saturated[j] {
					saturated += w
				}
			}
		}
	}
	s.Image[i] = float32(grey / full / 255)
	if valid >= full/2 {
		s.Mask[i] = true
		s.TargetKPa[i] = float32(kPa / valid)
		s.Saturated[i] = saturated >= valid/2
	}
	if row.centre >= 0 && col.centre >= 0 {
		c := row.centre*p.Width + col.centre
		if s.Labels != nil {
			s.Labels[i] = p.Labels[c]
		}
		if s.LabelsTrue != nil {
			s.LabelsTrue[i] = p.LabelsTrue[c]
		}
	}
}

// span is one target pixel's extent along an axis of the source: the pixels it covers, their covered lengths, and the
// pixel under its centre (-1 outside).
type span struct {
	first   int
	weights []float64
	centre  int
}

func spans(n, source int, ratio, offset float64) []span {
	out := make([]span, n)
	for i := range out {
		from, to := offset+float64(i)*ratio, offset+float64(i+1)*ratio
		s := span{first: max(0, int(math.Floor(from))), centre: int(math.Floor((from + to) / 2))}
		if s.centre < 0 || s.centre >= source {
			s.centre = -1
		}
		for j := s.first; j < source && float64(j) < to; j++ {
			s.weights = append(s.weights, math.Min(to, float64(j+1))-math.Max(from, float64(j)))
		}
		out[i] = s
	}
	return out
}

// Expand brings a map on the network's grid back to the plane's pixels by bilinear interpolation; it is NaN where the
// grid does not reach.
func (p *Plane) Expand(values []float32, g Grid) []float32 {
	out := make([]float32, p.Height*p.Width)
	ratio := p.MMPerPx / g.MMPerPx
	for y := range p.Height {
		v := (float64(y)+0.5)*ratio - 0.5
		for x := range p.Width {
			u := (float64(x)+0.5-float64(p.Width)/2)*ratio + float64(g.Width)/2 - 0.5
			out[y*p.Width+x] = bilinear(values, g, v, u)
		}
	}
	return out
}

func bilinear(values []float32, g Grid, v, u float64) float32 {
	if v < -0.5 || u < -0.5 || v > float64(g.Height)-0.5 || u > float64(g.Width)-0.5 {
		return float32(math.NaN())
	}
	v, u = min(max(v, 0), float64(g.Height-1)), min(max(u, 0), float64(g.Width-1))
	y, x := min(int(v), max(g.Height-2, 0)), min(int(u), max(g.Width-2, 0))
	y1, x1 := min(y+1, g.Height-1), min(x+1, g.Width-1)
	fy, fx := float32(v-float64(y)), float32(u-float64(x))
	return (1-fy)*((1-fx)*values[y*g.Width+x]+fx*values[y*g.Width+x1]) + fy*((1-fx)*values[y1*g.Width+x]+fx*values[y1*g.Width+x1])
}
