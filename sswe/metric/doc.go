// Package metric is the statistics of the evaluation: agreement of two images or two measurements, contrast of lesions,
// receiver operating characteristics with their variance, calibration of intervals.
//
// It owns formulas on plain slices, each with its source, each checked against an independent implementation
// (testdata/golden.py). It never knows what a patient, a plane or a network is: who resamples what is decided by package
// sswe.
//
// A value that its input does not define (no pair, no spread, arguments of different length) is NaN, never a panic.
package metric

import (
	"math"
	"slices"
)

// Interval is a 95 % interval.
type Interval [2]float64

// z95 is the normal quantile of a two-sided 95 % interval.
const z95 = 1.959963984540054

var undefined = math.NaN()

// Ranks are the ranks of values from 1, ties sharing the mean of their ranks.
func Ranks(values []float64) []float64 {
	order := ascending(values)
	ranks := make([]float64, len(values))
	for from := 0; from < len(order); {
		to := tiesEnd(values, order, from)
		for _, i := range order[from:to] {
			ranks[i] = float64(from+to+1) / 2
		}
		from = to
	}
	return ranks
}

// ascending lists the indices of values from the smallest to the largest, equal ones in their order.
func ascending(values []float64) []int {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case values[a] < values[b]:
			return -1
		case values[a] > values[b]:
			return 1
		}
		return 0
	})
	return order
}

// tiesEnd is the end of the run of equal values that starts at position from of order.
func tiesEnd(values []float64, order []int, from int) int {
	to := from + 1
	for to < len(order) && values[order[to]] == values[order[from]] {
		to++
	}
	return to
}
