package followup

import (
	"context"
	"errors"
	"math"
	"slices"

	"elastography/data"
	"elastography/data/phantom"
	"elastography/data/scanner"
	"elastography/sswe"
	"elastography/sswe/latent"
	"elastography/sswe/metric"
)

// Scanners is P2's latent-space figure and the numbers that a picture can't give: the bottleneck's features of the same
// test patients on two scanners, by the network that was trained on the first scanner alone and by the one trained on both.
type Scanners struct {
	Networks []LatentSpace `json:"networks"`
}

// LatentSpace is one network's features of the test planes of both scanners.
type LatentSpace struct {
	Network    string    `json:"network"`
	X          []float64 `json:"x"` // t-SNE
	Y          []float64 `json:"y"`
	First      []float64 `json:"first,omitempty"` // coordinates on the first two principal components
	Second     []float64 `json:"second,omitempty"`
	Group      []string  `json:"group"` // scanner of each point
	Perplexity float64   `json:"perplexity"`
	Mixing     float64   `json:"mixing"`      // among nearest neighbours of other patients: 1 as by chance, 0 apart
	Neighbours int       `json:"neighbours"`  // how many
	ScannerAUC float64   `json:"scanner_auc"` // of a linear probe for the scanner: 0.5 if the features don't know it
	TumourAUC  *float64  `json:"tumour_auc"`  // of a linear probe for "this plane shows tumour"; nil where all or none do
	Components []float64 `json:"components"`  // share of variance of the first principal components
}

func (s *Study) scanners(ctx context.Context) (Scanners, error) {
	second := s.Recipe
	second.Scanner = scanner.EndFireB().Name
	var out Scanners
	for _, a := range s.Arms() {
		if a.Name != Reference && a.Name != "both-scanners" {
			continue
		}
		o, err := s.arm(ctx, a)
		if err != nil {
			return Scanners{}, err
		}
		model, err := o.model()
		if err != nil {
			return Scanners{}, err
		}
		var samples []*data.Sample
		var group []string
		for _, r := range []data.Recipe{s.Recipe, second} {
			c, err := s.cohort(ctx, r)
			if err != nil {
				return Scanners{}, err
			}
			for _, sample := range resample(c.test, a.Config) {
				samples, group = append(samples, sample), append(group, r.Scanner)
			}
		}
		space, err := latentSpace(ctx, model, samples, group)
		o.close()
		if err != nil {
			return Scanners{}, err
		}
		space.Network = a.Note
		out.Networks = append(out.Networks, space)
	}
	return out, nil
}

func latentSpace(ctx context.Context, model *sswe.Model, samples []*data.Sample, group []string) (LatentSpace, error) {
	predictions, err := model.Predict(samples)
	if err != nil {
		return LatentSpace{}, err
	}
	points, patient, tumour, second := make(latent.Points, len(samples)), make([]string, len(samples)), make([]bool, len(samples)), make([]bool, len(samples))
	for i, p := range predictions {
		for _, v := range p.Features {
			points[i] = append(points[i], float64(v))
		}
		patient[i], second[i] = samples[i].Patient, group[i] != group[0]
		tumour[i] = slices.ContainsFunc(samples[i].Labels, func(label uint8) bool { return label >= phantom.LabelFocus })
	}
	if points, err = points.Standardised(); err != nil {
		return LatentSpace{}, err
	}
	l := LatentSpace{Group: group, Neighbours: min(10, len(points)/4), Perplexity: math.Floor(min(15, float64(len(points)-1)/3))}
	embedded, err := points.TSNE(ctx, l.Perplexity)
	if err != nil {
		return l, err
	}
	for _, p := range embedded {
		l.X, l.Y = append(l.X, p[0]), append(l.Y, p[1])
	}
	principal, shares, err := points.Components(5)
	if err != nil {
		return l, err
	}
	l.Components = shares
	for _, p := range principal {
		if len(p) < 2 {
			return l, errors.New("the features have one dimension only")
		}
		l.First, l.Second = append(l.First, p[0]), append(l.Second, p[1])
	}
	if l.Mixing, err = points.Mixing(group, patient, l.Neighbours); err != nil {
		return l, err
	}
	l.ScannerAUC, err = probe(points, second, patient)
	if err != nil {
		return l, err
	}
	if slices.Contains(tumour, true) && slices.Contains(tumour, false) {
		if auc, err := probe(points, tumour, patient); err == nil { // a small cohort may leave one kind without a patient
			l.TumourAUC = &auc
		}
	}
	return l, nil
}

func probe(points latent.Points, label []bool, patient []string) (float64, error) {
	scores, err := points.Probe(label, patient, 10) // more features than planes: a strong ridge
	if err != nil {
		return 0, err
	}
	curve, ok := metric.ROC(scores, label)
	if !ok {
		return 0, errors.New("linear probe: one kind of label only")
	}
	return curve.AUC, nil
}
