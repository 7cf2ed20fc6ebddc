package sswe

import (
	"fmt"
	"math"

	"elastography/data"
)

// Folds deals the patients of samples into k folds, by the seed and the patients alone: for cross-validation, where each
// member is trained without one fold, and for leave-one-patient-out, where k is the number of patients.
func Folds(samples []*data.Sample, k int, seed uint64) ([][]string, error) {
	patients := patientNames(samples)
	if k < 2 || k > len(patients) {
		return nil, fmt.Errorf("%d folds of %d patients; give 2 to the number of patients", k, len(patients))
	}
	folds := make([][]string, k)
	for i, p := range stream(seed, "folds").Perm(len(patients)) {
		folds[i%k] = append(folds[i%k], patients[p])
	}
	return folds, nil
}

// Ensemble joins the predictions of several networks, [member][plane], on the same planes (Lakshminarayanan et al.,
// NeurIPS 2017): the mean stiffness; and the scale whose variance is the mean of the members' own, as far as they
// predict one, plus the variance between them.
func Ensemble(members [][]Prediction) []Prediction {
	out := make([]Prediction, len(members[0]))
	n := float64(len(members))
	for k := range out {
		pixels := len(members[0][k].KPa)
		out[k].KPa, out[k].ScaleKPa = make([]float32, pixels), make([]float32, pixels)
		for i := range pixels {
			var mean, own, between float64
			for _, m := range members {
				mean += float64(m[k].KPa[i]) / n
			}
			for _, m := range members {
				d := float64(m[k].KPa[i]) - mean
				between += d * d / n
				if m[k].ScaleKPa != nil {
					own += float64(m[k].ScaleKPa[i]) * float64(m[k].ScaleKPa[i]) / n
				}
			}
			out[k].KPa[i], out[k].ScaleKPa[i] = float32(mean), float32(math.Sqrt(own+between/2)) // a Laplace variance is twice the scale squared
		}
	}
	return out
}
