package sswe

import (
	"slices"
	"sort"

	"elastography/data"
)

// baseline is a predictor that no network is needed for. A result means something only next to these.
type baseline struct {
	name    string
	predict func(s *data.Sample) []float32 // kPa, [Height, Width]
}

// fitBaselines learns the trivial predictors from the training planes: the cohort's median; the median at each depth;
// the median of each histopathological zone (which the network is not told); the median at each local grey level. The
// median, because it minimises the absolute error.
func fitBaselines(training []*data.Sample) []baseline {
	overall := float32(medianKPa(training))
	list := []baseline{
		{"median", func(s *data.Sample) []float32 { return constant(s, overall) }},
		{"depth", depthBaseline(training, overall)},
	}
	if !slices.ContainsFunc(training, func(s *data.Sample) bool { return s.Labels == nil }) {
		list = append(list, baseline{"zone", zoneBaseline(training, overall)})
	}
	return append(list, baseline{"echogenicity", echogenicityBaseline(training, overall)})
}

func constant(s *data.Sample, kPa float32) []float32 {
	out := make([]float32, s.Grid.Pixels())
	for i := range out {
		out[i] = kPa
	}
	return out
}

// byKey fits the median of each key's pixels and predicts it; negative keys, and those never seen in training, predict
// the overall median.
func byKey(training []*data.Sample, overall float32, keys func(s *data.Sample) []int) func(s *data.Sample) []float32 {
	values := make(map[int][]float64)
	for _, s := range training {
		key := keys(s)
		for i, valid := range s.Mask {
			if valid && key[i] >= 0 {
				values[key[i]] = append(values[key[i]], float64(s.TargetKPa[i]))
			}
		}
	}
	medians := make(map[int]float32, len(values))
	for key, v := range values {
		medians[key] = float32(median(v))
	}
	return func(s *data.Sample) []float32 {
		out := constant(s, overall)
		for i, key := range keys(s) {
			if kPa, ok := medians[key]; ok {
				out[i] = kPa
			}
		}
		return out
	}
}

func depthBaseline(training []*data.Sample, overall float32) func(*data.Sample) []float32 {
	return byKey(training, overall, func(s *data.Sample) []int {
		keys := make([]int, s.Grid.Pixels())
		for i := range keys {
			keys[i] = i / s.Grid.Width
		}
		return keys
	})
}

// zoneBaseline knows the healthy anatomy, not the tumours: a focus is no zone.
func zoneBaseline(training []*data.Sample, overall float32) func(*data.Sample) []float32 {
	return byKey(training, overall, func(s *data.Sample) []int {
		keys := make([]int, s.Grid.Pixels())
		for i := range keys {
			if keys[i] = int(s.Labels[i]); isTumour(s.Labels[i]) {
				keys[i] = -1
			}
		}
		return keys
	})
}

const greyBins = 24

// echogenicityBaseline predicts from the grey level averaged over about 3 mm, in bins of equal population.
func echogenicityBaseline(training []*data.Sample, overall float32) func(*data.Sample) []float32 {
	var all []float64
	for _, s := range training {
		smooth := localMean(s)
		for i, valid := range s.Mask {
			if valid {
				all = append(all, float64(smooth[i]))
			}
		}
	}
	slices.Sort(all)
	edges := make([]float64, 0, greyBins-1)
	for k := 1; k < greyBins && len(all) > 0; k++ {
		edges = append(edges, all[k*len(all)/greyBins])
	}
	return byKey(training, overall, func(s *data.Sample) []int {
		keys := make([]int, s.Grid.Pixels())
		for i, grey := range localMean(s) {
			keys[i] = sort.SearchFloat64s(edges, float64(grey))
		}
		return keys
	})
}

// localMean averages the grey level over a square of about 3 mm.
func localMean(s *data.Sample) []float32 {
	h, w := s.Grid.Height, s.Grid.Width
	r := max(1, int(1.5/s.Grid.MMPerPx))
	out := make([]float32, h*w)
	for y := range h {
		for x := range w {
			var sum, n float32
			for v := max(0, y-r); v <= min(h-1, y+r); v++ {
				for u := max(0, x-r); u <= min(w-1, x+r); u++ {
					sum += s.Image[v*w+u]
					n++
				}
			}
			out[y*w+x] = sum / n
		}
	}
	return out
}
