package data

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// TrivialPredictor is one that needs no image: fitted on the training patients, scored on the test patients, mean
// absolute error averaged over planes, kPa. A pixel at the display limit is not wrong if predicted stiffer.
type TrivialPredictor struct {
	Name   string     `json:"name"`
	MAEKPa float64    `json:"mae_kpa"`
	CI95   [2]float64 `json:"ci95"`
}

// trivialPredictors are fitted and scored; none without both splits.
func trivialPredictors(planes []described) []TrivialPredictor {
	labelled := !slices.ContainsFunc(planes, func(p described) bool { return p.Labels == nil })
	var list []TrivialPredictor
	for _, predictor := range []struct {
		name   string
		keyOf  func(p described, i int) int
		labels bool
	}{
		{name: "median", keyOf: func(described, int) int { return 0 }},
		{name: "depth", keyOf: func(p described, i int) int { return i / p.Grid.Width }},
		{name: "zone", labels: true, keyOf: func(p described, i int) int {
			if isFocus(p.Labels[i]) {
				return -1 // healthy anatomy does not tell the tumours
			}
			return int(p.Labels[i])
		}},
	} {
		if predictor.labels && !labelled {
			continue
		}
		if t, ok := scoreTrivial(planes, predictor.keyOf); ok {
			t.Name = predictor.name
			list = append(list, t)
		}
	}
	return list
}

// scoreTrivial predicts the median of each key's training pixels; of all of them where the key is negative or new.
func scoreTrivial(planes []described, keyOf func(p described, i int) int) (TrivialPredictor, bool) {
	values := make(map[int][]float64)
	var all []float64
	for _, p := range planes {
		for i, ok := range p.Mask {
			if ok && p.split == Train {
				key := keyOf(p, i)
				values[key] = append(values[key], float64(p.TargetKPa[i]))
				all = append(all, float64(p.TargetKPa[i]))
			}
		}
	}
	if len(all) == 0 {
		return TrivialPredictor{}, false
	}
	overall := spreadOf(all).Median
	medians := make(map[int]float64)
	for key, v := range values {
		if key >= 0 {
			medians[key] = spreadOf(v).Median
		}
	}
	var mae []float64
	var patientOf []int
	patients := make(map[string]int)
	for _, p := range planes {
		var sum, n float64
		for i, ok := range p.Mask {
			if !ok {
				continue
			}
			guess, known := medians[keyOf(p, i)]
			if !known {
				guess = overall
			}
			n++
			if e := guess - float64(p.TargetKPa[i]); !p.Saturated[i] || e < 0 {
				sum += math.Abs(e)
			}
		}
		if p.split != Test || n == 0 {
			continue
		}
		k, seen := patients[p.Patient]
		if !seen {
			k = len(patients)
			patients[p.Patient] = k
		}
		mae, patientOf = append(mae, sum/n), append(patientOf, k)
	}
	if len(mae) == 0 {
		return TrivialPredictor{}, false
	}
	return TrivialPredictor{MAEKPa: stat.Mean(mae, nil), CI95: overPatients(1, len(patients), func(times []float64) (float64, bool) {
		var sum, n float64
		for i, v := range mae {
			sum, n = sum+times[patientOf[i]]*v, n+times[patientOf[i]]
		}
		return sum / n, n > 0
	})}, true
}
