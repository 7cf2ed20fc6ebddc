package followup

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"elastography/data"
	"elastography/sswe"
)

// mostCohorts are in memory at once: what one arm and its tests look at. One of fifty patients takes about 0.2 GB.
const mostCohorts = 3

// cohort is a simulated cohort in memory.
type cohort struct {
	recipe      data.Recipe
	stored      *data.Cohort
	train, test []*data.Plane
}

// CohortDir is where a study in dir keeps the cohort of that organ, scanner and seed.
func CohortDir(dir string, r data.Recipe) string {
	return filepath.Join(dir, "cohorts", fmt.Sprintf("%s-%s-%d", r.Organ, r.Scanner, r.Seed))
}

// cohort simulates or opens a recipe's cohort.
func (s *Study) cohort(ctx context.Context, r data.Recipe) (*cohort, error) {
	if k := slices.IndexFunc(s.cohorts, func(c *cohort) bool { return c.recipe == r }); k >= 0 {
		c := s.cohorts[k]
		s.cohorts = append(slices.Delete(s.cohorts, k, k+1), c) // the one used last is the last
		return c, nil
	}
	dir := CohortDir(s.Dir, r)
	stored, err := data.Open(dir)
	if err != nil {
		s.say("cohort of %d patients: %s", r.Patients, filepath.Base(dir))
		stored, err = data.Simulate(ctx, dir, r, s.Progress)
	}
	if err != nil {
		return nil, err
	}
	c := &cohort{recipe: r, stored: stored}
	if c.train, _, err = stored.Load(ctx, data.Train, false); err != nil {
		return nil, err
	}
	if c.test, _, err = stored.Load(ctx, data.Test, false); err != nil {
		return nil, err
	}
	if len(s.cohorts) == mostCohorts {
		s.cohorts = slices.Delete(s.cohorts, 0, 1)
	}
	s.cohorts = append(s.cohorts, c)
	return c, nil
}

// samples brings an arm's planes to its network's grid: the training planes of all its cohorts, the test planes of the
// first. A patient of another scanner's cohort is the same man: he keeps his name, and so stays out of both splits.
func (s *Study) samples(ctx context.Context, a Arm) (training, test []*data.Sample, err error) {
	for i, r := range a.Recipes {
		c, err := s.cohort(ctx, r)
		if err != nil {
			return nil, nil, err
		}
		training = append(training, resample(firstPatients(c.train, a.Patients), a.Config)...)
		if i == 0 {
			test = resample(c.test, a.Config)
		}
	}
	return training, test, nil
}

func resample(planes []*data.Plane, c sswe.Config) []*data.Sample {
	out := make([]*data.Sample, len(planes))
	for i, p := range planes {
		out[i] = p.Resample(c.Grid)
	}
	return out
}

// firstPatients keeps the planes of the first n patients; 0 keeps all.
func firstPatients(planes []*data.Plane, n int) []*data.Plane {
	var patients []string
	var out []*data.Plane
	for _, p := range planes {
		if !slices.Contains(patients, p.Patient) {
			patients = append(patients, p.Patient)
		}
		if n == 0 || len(patients) <= n {
			out = append(out, p)
		}
	}
	return out
}
