package scanner

import (
	"math"
	"slices"
)

// speedMap is a shear-wave speed in m/s with the correlation it was found at, on the
// recorded window; quality 0 means none.
type speedMap struct {
	height, width  int
	speed, quality []float32
}

func newSpeedMap(height, width int) speedMap {
	return speedMap{height, width, make([]float32, height*width), make([]float32, height*width)}
}

// compound averages the pushes' speeds weighted by the fourth power of their
// quality; the quality of the result is the mean under the same weights.
func compound(estimates []speedMap) speedMap {
	out := newSpeedMap(estimates[0].height, estimates[0].width)
	for p := range out.speed {
		var speed, quality, weight float32
		for _, e := range estimates {
			q := e.quality[p]
			if q < leastQuality/2 || e.speed[p] > fastestShownMS {
				continue
			}
			w := q * q * q * q
			speed += w * e.speed[p]
			quality += w * q
			weight += w
		}
		if weight > 0 {
			out.speed[p], out.quality[p] = speed/weight, quality/weight
		}
	}
	return out
}

// show turns speeds into the displayed map: modulus, 1 mm median, 0.5 mm Gaussian,
// mask, display limit, medium's grid.
func (e *elastography) show(s speedMap) *Elastogram {
	n := s.height * s.width
	young := make([]float32, n)
	valid := make([]bool, n)
	found := make([]bool, n)
	for p, q := range s.quality {
		found[p] = q > 0
	}
	quality := smoothValid(s.quality, found, s.height, s.width, 1)
	for p, c := range s.speed {
		valid[p] = found[p] && quality[p] >= leastQuality && c <= fastestShownMS && !e.blind[p]
		young[p] = float32(apparentKPa(float64(c)))
	}
	young = medianFilter(young, valid, s.height, s.width)
	young = smoothValid(young, valid, s.height, s.width, 0.5/shearStepMM)

	m, box := e.m, e.box
	out := &Elastogram{Height: m.Height, Width: m.Width, MMPerPx: m.MMPerPx, ScaleMaxKPa: e.s.ScaleMaxKPa, Box: box,
		EKPa: make([]float32, m.Height*m.Width), Saturated: make([]bool, m.Height*m.Width), Confidence: make([]float32, m.Height*m.Width)}
	for p := range out.EKPa {
		out.EKPa[p] = float32(math.NaN())
	}
	for row := box.Top; row < box.Bottom; row++ {
		for col := box.Left; col < box.Right; col++ {
			z, x := m.point(row, col)
			u, v := (z-e.topMM)/shearStepMM, (x-e.leftMM)/shearStepMM
			nearest := min(int(u+0.5), s.height-1)*s.width + min(int(v+0.5), s.width-1)
			if !valid[nearest] {
				continue
			}
			i, j := min(int(u), s.height-2), min(int(v), s.width-2)
			fu, fv := float32(u-float64(i)), float32(v-float64(j))
			var sum, weight, sure float32
			for k, w := range [4]float32{(1 - fu) * (1 - fv), (1 - fu) * fv, fu * (1 - fv), fu * fv} {
				if q := (i+k/2)*s.width + j + k%2; valid[q] {
					sum += w * young[q]
					sure += w * quality[q]
					weight += w
				}
			}
			p := row*m.Width + col
			limit := float32(e.s.ScaleMaxKPa)
			out.EKPa[p] = min(sum/weight, limit)
			out.Saturated[p] = sum/weight >= limit
			out.Confidence[p] = min(max((sure/weight-leastQuality)/(1-leastQuality), 0), 1)
		}
	}
	return out
}

// medianFilter takes the median of the valid cells of 3 x 3 (1 mm).
func medianFilter(values []float32, valid []bool, height, width int) []float32 {
	out := make([]float32, len(values))
	var window [9]float32
	for i := range height {
		for j := range width {
			n := 0
			for y := max(i-1, 0); y <= min(i+1, height-1); y++ {
				for x := max(j-1, 0); x <= min(j+1, width-1); x++ {
					if valid[y*width+x] {
						window[n] = values[y*width+x]
						n++
					}
				}
			}
			out[i*width+j] = median(window[:n])
		}
	}
	return out
}

// median sorts its argument; 0 for none.
func median(values []float32) float32 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// smoothValid blurs the valid cells only.
func smoothValid(values []float32, valid []bool, height, width int, sigma float64) []float32 {
	out, weight := make([]float32, len(values)), make([]float32, len(values))
	for p, v := range values {
		if valid[p] {
			out[p], weight[p] = v, 1
		}
	}
	smooth(out, height, width, sigma)
	smooth(weight, height, width, sigma)
	for p, w := range weight {
		if w > 0 {
			out[p] /= w
		}
	}
	return out
}
