package latent

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/optimize"
)

// Mixing tells how well groups (scanners) mix among nearest neighbours: the share of a point's k nearest neighbours that
// belong to another group, divided by what chance would give. 1 is perfect mixing, 0 separate islands. Neighbours of the
// point's own patient are left out: they are alike for another reason.
func (p Points) Mixing(group, patient []string, k int) (float64, error) {
	if err := p.check(); err != nil {
		return 0, fmt.Errorf("mixing of groups: %w", err)
	}
	if len(group) != len(p) || len(patient) != len(p) {
		return 0, fmt.Errorf("mixing of groups: %d groups and %d patients for %d points", len(group), len(patient), len(p))
	}
	found, expected := 0.0, 0.0
	for i := range p {
		var others []int
		strangers := 0.0
		for j := range p {
			if patient[j] != patient[i] {
				others = append(others, j)
				if group[j] != group[i] {
					strangers++
				}
			}
		}
		if k < 1 || k > len(others) {
			return 0, fmt.Errorf("mixing of groups: %d neighbours asked for, point %d has %d of other patients", k, i, len(others))
		}
		slices.SortStableFunc(others, func(a, b int) int {
			return cmp.Compare(squaredDistance(p[i], p[a]), squaredDistance(p[i], p[b]))
		})
		for _, j := range others[:k] {
			if group[j] != group[i] {
				found += 1 / float64(k)
			}
		}
		expected += strangers / float64(len(others))
	}
	if expected == 0 {
		return 0, errors.New("mixing of groups: all points are of one group")
	}
	return found / expected, nil
}

// Probe scores each point by a linear probe for yes/no labels: ridge-penalised logistic regression on the standardised
// features, fitted without the point's own patient. The scores' area under the ROC curve tells how much of the label the
// features know in a straight line; 0.5 is nothing.
func (p Points) Probe(label []bool, patient []string, ridge float64) ([]float64, error) {
	x, err := p.Standardised()
	if err != nil {
		return nil, fmt.Errorf("linear probe: %w", err)
	}
	if len(label) != len(x) || len(patient) != len(x) {
		return nil, fmt.Errorf("linear probe: %d labels and %d patients for %d points", len(label), len(patient), len(x))
	}
	if !(ridge > 0) {
		return nil, fmt.Errorf("linear probe: a ridge penalty of %v; give a positive one", ridge)
	}
	scores := make([]float64, len(x))
	done := map[string]bool{}
	for _, held := range patient {
		if done[held] {
			continue
		}
		done[held] = true
		var rows Points
		var labels []bool
		for i := range x {
			if patient[i] != held {
				rows, labels = append(rows, x[i]), append(labels, label[i])
			}
		}
		if !slices.Contains(labels, true) || !slices.Contains(labels, false) {
			return nil, fmt.Errorf("linear probe: without patient %s only one kind of label is left", held)
		}
		weights, err := logistic(rows, labels, ridge)
		if err != nil {
			return nil, fmt.Errorf("linear probe without patient %s: %w", held, err)
		}
		for i := range x {
			if patient[i] == held {
				scores[i] = linear(weights, x[i])
			}
		}
	}
	return scores, nil
}

// linear is the log-odds; the last weight is the constant.
func linear(weights, x []float64) float64 {
	sum := weights[len(x)]
	for j, v := range x {
		sum += weights[j] * v
	}
	return sum
}

func logistic(x Points, label []bool, ridge float64) ([]float64, error) {
	n := len(x[0])
	problem := optimize.Problem{
		Func: func(w []float64) float64 {
			loss := 0.0
			for i, row := range x {
				odds := linear(w, row)
				if label[i] {
					odds = -odds
				}
				loss += math.Max(odds, 0) + math.Log1p(math.Exp(-math.Abs(odds)))
			}
			for _, v := range w[:n] {
				loss += ridge / 2 * v * v
			}
			return loss
		},
		Grad: func(gradient, w []float64) {
			clear(gradient)
			for i, row := range x {
				residual := 1 / (1 + math.Exp(-linear(w, row)))
				if label[i] {
					residual--
				}
				for j, v := range row {
					gradient[j] += residual * v
				}
				gradient[n] += residual
			}
			for j, v := range w[:n] {
				gradient[j] += ridge * v
			}
		},
	}
	result, err := optimize.Minimize(problem, make([]float64, n+1), nil, &optimize.LBFGS{})
	if err != nil && result == nil {
		return nil, fmt.Errorf("logistic regression: %w", err)
	}
	return result.X, nil
}
