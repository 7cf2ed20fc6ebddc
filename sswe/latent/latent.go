// Package latent asks what a network's features tell of an image: whether scanners mix or keep apart in them (P2's t-SNE
// figure, and numbers that a picture can't give), and whether what they know of a patient is more than noise.
//
// It owns principal components, t-SNE, the mixing of groups among nearest neighbours and a linear probe, all on plain
// tables of numbers. It never runs a network and never draws.
package latent

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Points is a table of features: one row a point (an imaging plane), one column a feature.
type Points [][]float64

// check refuses a table that is empty, ragged or holds what is no number.
func (p Points) check() error {
	if len(p) < 3 || len(p[0]) == 0 {
		return fmt.Errorf("%d points are too few: give at least 3 with one feature", len(p))
	}
	for i, row := range p {
		if len(row) != len(p[0]) {
			return fmt.Errorf("point %d has %d features, point 0 has %d", i, len(row), len(p[0]))
		}
		for j, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("point %d, feature %d is %v", i, j, v)
			}
		}
	}
	return nil
}

// Standardised returns the points with each feature at mean 0 and standard deviation 1, constant features left out: no
// feature counts more for its unit.
func (p Points) Standardised() (Points, error) {
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("standardise features: %w", err)
	}
	out := make(Points, len(p))
	column := make([]float64, len(p))
	for j := range p[0] {
		for i := range p {
			column[i] = p[i][j]
		}
		mean, sd := stat.MeanStdDev(column, nil)
		if sd <= 1e-12*math.Abs(mean) || sd == 0 {
			continue
		}
		for i := range p {
			out[i] = append(out[i], (column[i]-mean)/sd)
		}
	}
	if len(out[0]) == 0 {
		return nil, errors.New("standardise features: all points are equal")
	}
	return out, nil
}

// Components returns the points' coordinates along their n first principal components and the share of the variance
// that each of them carries. Signs are fixed (the largest loading is positive), so that equal data give equal pictures.
func (p Points) Components(n int) (Points, []float64, error) {
	if err := p.check(); err != nil {
		return nil, nil, fmt.Errorf("principal components: %w", err)
	}
	x := mat.NewDense(len(p), len(p[0]), nil)
	for i, row := range p {
		x.SetRow(i, row)
	}
	var pc stat.PC
	if !pc.PrincipalComponents(x, nil) {
		return nil, nil, errors.New("principal components: the decomposition failed")
	}
	variances := pc.VarsTo(nil)
	n = min(n, len(variances))
	total := 0.0
	for _, v := range variances {
		total += v
	}
	if total == 0 {
		return nil, nil, errors.New("principal components: all points are equal")
	}
	var vectors mat.Dense
	pc.VectorsTo(&vectors)
	shares, out := make([]float64, n), make(Points, len(p))
	for i := range out {
		out[i] = make([]float64, n)
	}
	for k := range n {
		shares[k] = variances[k] / total
		loading := mat.Col(nil, k, &vectors)
		largest := 0.0
		for _, v := range loading {
			if math.Abs(v) > math.Abs(largest) {
				largest = v
			}
		}
		for j := range p[0] {
			mean := 0.0
			for i := range p {
				mean += p[i][j] / float64(len(p))
			}
			for i := range p {
				out[i][k] += math.Copysign(1, largest) * loading[j] * (p[i][j] - mean)
			}
		}
	}
	return out, shares, nil
}

func squaredDistance(a, b []float64) float64 {
	sum := 0.0
	for j, v := range a {
		sum += (v - b[j]) * (v - b[j])
	}
	return sum
}
