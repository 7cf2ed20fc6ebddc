package sswe

import (
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Interval is a 95 % interval.
type Interval [2]float64

// bootstrap resamples patients, not pixels or planes: those of one patient are not independent. statistic gets the
// chosen patients' numbers, 0 to patients-1, with repeats; it returns false where the resample has no answer. Two
// calls with the same seed, name and patients see the same resamples, so that differences are paired.
func bootstrap(seed uint64, patients, samples int, statistic func(chosen []int) (float64, bool)) Interval {
	rng := stream(seed, "bootstrap")
	values := make([]float64, 0, samples)
	chosen := make([]int, patients)
	for range samples {
		for i := range chosen {
			chosen[i] = rng.IntN(patients)
		}
		if v, ok := statistic(chosen); ok {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return Interval{}
	}
	slices.Sort(values)
	return Interval{stat.Quantile(0.025, stat.LinInterp, values, nil), stat.Quantile(0.975, stat.LinInterp, values, nil)}
}

// groups lists, for each patient in the order of first appearance, which entries are his.
func groups(patientOf []string) [][]int {
	var list [][]int
	index := make(map[string]int)
	for i, p := range patientOf {
		k, ok := index[p]
		if !ok {
			k = len(list)
			index[p] = k
			list = append(list, nil)
		}
		list[k] = append(list[k], i)
	}
	return list
}

// meanOf averages the values of the chosen patients' entries.
func meanOf(values []float64, byPatient [][]int, chosen []int) (float64, bool) {
	var sum float64
	n := 0
	for _, p := range chosen {
		for _, i := range byPatient[p] {
			sum += values[i]
			n++
		}
	}
	return sum / float64(n), n > 0
}
