package sswe

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"elastography/sswe/metric"
)

// Interval is a 95 % interval.
type Interval = metric.Interval

// Estimate is a value with its 95 % bootstrap interval over patients.
type Estimate struct {
	Value float64  `json:"value"`
	CI95  Interval `json:"ci95"`
}

// resampling holds the draws of a bootstrap over patients, not pixels or planes: those of one patient are not
// independent. All statistics of an evaluation see the same draws, so that their differences are paired.
type resampling struct {
	patients int
	weights  [][]float64 // [sample][patient]: how often he was drawn
}

// newResampling draws with replacement; equal arguments give equal draws.
func newResampling(seed uint64, patients, samples int) resampling {
	rng := stream(seed, "bootstrap")
	r := resampling{patients: patients, weights: make([][]float64, samples)}
	for b := range r.weights {
		r.weights[b] = make([]float64, patients)
		for range patients {
			r.weights[b][rng.IntN(patients)]++
		}
	}
	return r
}

// estimate is the statistic of all patients and its interval. A draw for which it is not a number, such as one without
// a tumour, has no say; ok is false where that is so for all patients together.
func (r resampling) estimate(statistic func(weights []float64) float64) (e Estimate, ok bool) {
	e.Value = statistic(slices.Repeat([]float64{1}, r.patients))
	if math.IsNaN(e.Value) || math.IsInf(e.Value, 0) {
		return Estimate{}, false
	}
	values := make([]float64, 0, len(r.weights))
	for _, w := range r.weights {
		if v := statistic(w); !math.IsNaN(v) && !math.IsInf(v, 0) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	if len(values) > 0 {
		e.CI95 = Interval{stat.Quantile(0.025, stat.LinInterp, values, nil), stat.Quantile(0.975, stat.LinInterp, values, nil)}
	}
	return e, true
}

// ratio estimates the sum over patients of above, over that of below.
func (r resampling) ratio(above, below []float64) (Estimate, bool) {
	return r.estimate(func(weights []float64) float64 { return weighted(weights, above) / weighted(weights, below) })
}

func weighted(weights, values []float64) float64 {
	var sum float64
	for i, w := range weights {
		sum += w * values[i]
	}
	return sum
}

// perPatient is a sum and a count for each patient: what the mean over any resampling of patients follows from.
type perPatient struct{ sum, n []float64 }

func newPerPatient(patients int) perPatient {
	return perPatient{make([]float64, patients), make([]float64, patients)}
}

// add counts a value of a patient, unless it is not a number.
func (p perPatient) add(patient int, value float64) {
	if !math.IsNaN(value) && !math.IsInf(value, 0) {
		p.sum[patient] += value
		p.n[patient]++
	}
}

// mean is that over all values, with its interval.
func (p perPatient) mean(r resampling) (Estimate, bool) { return r.ratio(p.sum, p.n) }
