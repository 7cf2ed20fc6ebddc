package followup

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"elastography/data"
	"elastography/sswe"
	"elastography/sswe/metric"
)

// Uncertainty is how well an ensemble knows what it does not know. Each member is trained on all folds of the training
// patients but one and has a second output, the scale of its own error (a Laplace likelihood; Kendall & Gal, 2017). The
// factor that turns scales into 90 % intervals is learned on each member's own left-out patients (cross-conformal
// prediction, Vovk 2015); the test patients have no say in it.
type Uncertainty struct {
	Members        int       `json:"members"`
	Level          float64   `json:"level"`
	Factor         float64   `json:"factor"`
	Coverage       float64   `json:"coverage"`            // of test pixels, after calibration
	RawCoverage    float64   `json:"coverage_raw"`        // of test pixels, with the likelihood's own factor
	MeanWidthKPa   float64   `json:"mean_width_kpa"`      // of the intervals, from end to end
	EnsembleMAEKPa float64   `json:"ensemble_mae_kpa"`    // mean over planes
	MemberMAEKPa   []float64 `json:"member_mae_kpa"`      // each member alone, on the test planes
	FoldMAEKPa     []float64 `json:"cross_validated_kpa"` // each member on its left-out training patients
	Rank           float64   `json:"error_rank_correlation"`
	metric.Sparsified
	Levels   []float64 `json:"levels"` // nominal coverage
	Covered  []float64 `json:"covered"`
	SigmaKPa []float64 `json:"sigma_kpa"` // predicted standard deviation, by tenths of the pixels
	RMSEKPa  []float64 `json:"rmse_kpa"`  // error found there
}

// Rise is the largest step by which the error of the remaining pixels rises, kPa, as the most uncertain ones are taken
// away: 0 where sparsification is monotone.
func (u *Uncertainty) Rise() float64 {
	rise := 0.0
	for k := 1; k < len(u.ByUncertainty); k++ {
		rise = max(rise, u.ByUncertainty[k]-u.ByUncertainty[k-1])
	}
	return rise
}

// uncertainty trains the members and measures.
func (s *Study) uncertainty(ctx context.Context) (*Uncertainty, error) {
	base := Arm{Group: "uncertainty", Config: s.Base, Recipes: []data.Recipe{s.Recipe}}
	base.Config.Training.Loss, base.Config.Network.Scale, base.Config.Training.ValidationShare = sswe.Laplace, true, 0
	training, test, err := s.samples(ctx, base)
	if err != nil {
		return nil, err
	}
	folds, err := sswe.Folds(training, s.Members, s.Base.Seed)
	if err != nil {
		return nil, err
	}
	u := &Uncertainty{Members: s.Members, Level: 0.9}
	var members [][]sswe.Prediction
	var left pixels
	for k, held := range folds {
		a := base
		a.Name = fmt.Sprintf("member-%d", k+1)
		a.Config.Seed += uint64(k)
		s.say("ensemble member %d of %d", k+1, s.Members)
		run := TestRun(s.Dir, a.Name, Own)
		if err := run.SaveConfig(a.Config); err != nil {
			return nil, err
		}
		var fit, out []*data.Sample
		for _, sample := range training {
			if slices.Contains(held, sample.Patient) {
				out = append(out, sample)
			} else {
				fit = append(fit, sample)
			}
		}
		model, err := s.train(ctx, run, a, fit)
		if err != nil {
			return nil, err
		}
		own, err := model.Predict(out)
		if err != nil {
			return nil, err
		}
		left.add(out, own)
		u.FoldMAEKPa = append(u.FoldMAEKPa, sswe.MeanAbsoluteError(out, own))
		predictions, err := model.Predict(test)
		model.Close()
		if err != nil {
			return nil, err
		}
		members = append(members, predictions)
		u.MemberMAEKPa = append(u.MemberMAEKPa, sswe.MeanAbsoluteError(test, predictions))
	}
	together := sswe.Ensemble(members)
	u.EnsembleMAEKPa = sswe.MeanAbsoluteError(test, together)
	var found pixels
	found.add(test, together)
	u.measure(left, found)
	return u, nil
}

// pixels are the errors and predicted scales of valid, unsaturated pixels, kPa.
type pixels struct{ errors, scales []float64 }

func (p *pixels) add(samples []*data.Sample, predictions []sswe.Prediction) {
	for k, s := range samples {
		for i, valid := range s.Mask {
			if valid && !s.Saturated[i] {
				p.errors = append(p.errors, float64(predictions[k].KPa[i]-s.TargetKPa[i]))
				p.scales = append(p.scales, float64(predictions[k].ScaleKPa[i]))
			}
		}
	}
}

// measure calibrates on the left-out patients and reports on the test patients.
func (u *Uncertainty) measure(left, found pixels) {
	u.Factor = metric.CoverageFactor(left.errors, left.scales, u.Level)
	u.Coverage = metric.Coverage(found.errors, found.scales, u.Factor)
	u.RawCoverage = metric.Coverage(found.errors, found.scales, -math.Log(1-u.Level)) // of a Laplace distribution
	for _, v := range found.scales {
		u.MeanWidthKPa += 2 * u.Factor * v / float64(len(found.scales))
	}
	sizes := make([]float64, len(found.errors))
	for i, e := range found.errors {
		sizes[i] = math.Abs(e)
	}
	u.Rank = metric.Spearman(sizes, found.scales)
	u.Sparsified, _ = metric.Sparsify(found.errors, found.scales, 20)
	order := make([]int, len(found.scales))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(found.scales[a], found.scales[b]) })
	for tenth := range 10 {
		part := order[tenth*len(order)/10 : (tenth+1)*len(order)/10]
		var sigma, square float64
		for _, i := range part {
			sigma += math.Sqrt2 * found.scales[i] / float64(len(part))
			square += found.errors[i] * found.errors[i] / float64(len(part))
		}
		u.SigmaKPa, u.RMSEKPa = append(u.SigmaKPa, sigma), append(u.RMSEKPa, math.Sqrt(square))
	}
	for level := 0.1; level < 0.96; level += 0.1 {
		u.Levels = append(u.Levels, level)
		u.Covered = append(u.Covered, metric.Coverage(found.errors, found.scales, metric.CoverageFactor(left.errors, left.scales, level)))
	}
}
