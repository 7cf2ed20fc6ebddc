package followup

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"

	"elastography/data"
	"elastography/data/scanner"
	"elastography/sswe"
)

// abroad tests an arm's network on images of another kind than it was trained on.
func (s *Study) abroad(ctx context.Context, a Arm, o, reference *outcome) ([]Row, error) {
	home := a.Recipes[0]
	second := home
	second.Scanner = scanner.EndFireB().Name
	thyroid := data.ThyroidStudy()
	thyroid.Patients, thyroid.Test, thyroid.Planes, thyroid.Seed = home.Patients, home.Test, home.Planes, home.Seed

	type test struct {
		group, name string
		recipe      data.Recipe
		again       string // scanner of a B-mode acquisition of its own; "" keeps the cohort's images
	}
	var tests []test
	switch a.Name {
	case Reference:
		tests = []test{
			{"scanner", "single B-mode acquisitions", home, home.Scanner},
			{"scanner", "second scanner", second, ""},
			{"scanner", "device without SWE", home, scanner.Portable().Name},
			{"organ", "thyroid, not retrained", thyroid, ""},
		}
	case "scanner-b":
		first := home
		first.Scanner = s.Recipe.Scanner
		tests = []test{{"scanner", "first scanner", first, ""}}
	case "both-scanners":
		tests = []test{{"scanner", "second scanner", second, ""}}
	}
	var rows []Row
	for _, t := range tests {
		if !s.wants(t.group) {
			continue
		}
		run := TestRun(s.Dir, a.Name, t.name)
		if err := run.SaveConfig(a.Config); err != nil {
			return nil, err
		}
		if _, err := run.Metrics(); err == nil {
			result, _, err := run.Result()
			if err != nil {
				return nil, err
			}
			rows = append(rows, (&outcome{result: result}).row(a, t.name, reference))
			continue
		} else if !errors.Is(err, sswe.ErrNotThere) {
			return nil, err
		}
		s.say("test of %s on: %s", a.Name, t.name)
		c, err := s.cohort(ctx, t.recipe)
		if err != nil {
			return nil, err
		}
		planes := c.test
		if t.again != "" {
			if planes, err = c.stored.Rescan(ctx, planes, t.again); err != nil {
				return nil, err
			}
		}
		training, _, err := s.samples(ctx, a)
		if err != nil {
			return nil, err
		}
		model, err := o.model()
		if err != nil {
			return nil, err
		}
		test := resample(planes, a.Config)
		predictions, err := model.Predict(test)
		if err != nil {
			return nil, err
		}
		result, err := s.evaluate(a, training, test, predictions)
		if err != nil {
			return nil, err
		}
		if err := run.SaveResult(result, test, predictions); err != nil {
			return nil, err
		}
		rows = append(rows, (&outcome{result: result}).row(a, t.name, reference))
	}
	return rows, nil
}

// TestRun is the run folder of an arm's test on what a Row's Tests names, and of the arm itself for its own test patients.
func TestRun(dir, arm, tests string) sswe.Run {
	if tests == Own {
		return sswe.Run{Dir: filepath.Join(dir, "arms", arm)}
	}
	return sswe.Run{Dir: filepath.Join(dir, "tests", arm+"-on-"+fileName(tests))}
}

// row condenses an outcome. It is compared with the reference where both saw the same planes of the same patients.
func (o *outcome) row(a Arm, tests string, reference *outcome) Row {
	m := o.result.Metrics
	r := Row{Group: a.Group, Name: a.Name, Tests: tests, Note: a.Note, MAEKPa: m.MAEKPa.Mean, CI95: m.MAEKPa.CI95,
		BestBaseline: m.Best, BaselineKPa: m.Baselines[m.Best].MAEKPa, Baselines: baselines(a.Config, o.result), Skill: m.Skill, SkillCI95: m.SkillCI95}
	if m.AUC != nil {
		r.SSWEAUC, r.SSWEAUCCI95 = m.AUC.SSWE.AUC, m.AUC.SSWE.CI95
		r.SWEAUC, r.SWEAUCCI95 = m.AUC.SWE.AUC, m.AUC.SWE.CI95
	}
	for _, g := range m.ByZone {
		if g.Group == "tumour" {
			r.LesionBiasKPa = g.BiasKPa
		}
	}
	sameMen := a.Group != "organ" && a.Group != "seed" || a.Name == "weights"
	if o != reference && sameMen {
		if d, err := sswe.Compare(a.Config, o.result.Planes, reference.result.Planes); err == nil {
			r.Against = &d
		}
	}
	return r
}

// baselines compares a network with each trivial predictor on the same planes.
func baselines(c sswe.Config, r *sswe.Result) []Baseline {
	var list []Baseline
	for _, name := range slices.Sorted(maps.Keys(r.BaselineMAEKPa)) {
		planes := slices.Clone(r.Planes)
		for k, maeKPa := range r.BaselineMAEKPa[name] {
			planes[k].MAEKPa = maeKPa
		}
		b := Baseline{Name: name, MAEKPa: r.Metrics.Baselines[name].MAEKPa, CI95: r.Metrics.Baselines[name].CI95}
		if d, err := sswe.Compare(c, r.Planes, planes); err == nil {
			b.Against = d
		}
		list = append(list, b)
	}
	return list
}

// fileName keeps letters and digits.
func fileName(s string) string {
	var out []rune
	for _, c := range s {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			out = append(out, c)
		case c >= 'A' && c <= 'Z':
			out = append(out, c-'A'+'a')
		case len(out) > 0 && out[len(out)-1] != '-':
			out = append(out, '-')
		}
	}
	return string(out)
}
