package validation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/stat"

	"elastography/data"
	"elastography/data/phantom"
)

// redrawn is a cohort's patients again, with their own stiffness and with another.
type redrawn struct{ own, swapped *data.Redrawing }

// redraw draws the patients of every cohort again. It is data.ErrNoRecipe where one was not simulated here.
func (o Options) redraw() (map[*data.Cohort]redrawn, error) {
	all := make(map[*data.Cohort]redrawn)
	for _, c := range o.Cohorts {
		recipe, err := c.Recipe()
		if err != nil {
			return nil, err
		}
		var again redrawn
		if again.own, err = recipe.Redraw(0); err != nil {
			return nil, err
		}
		if again.swapped, err = recipe.Redraw(recipe.Seed + 1); err != nil {
			return nil, err
		}
		all[c] = again
	}
	return all, nil
}

// leakage draws the patients again and looks for stiffness in their echoes.
func (o Options) leakage(ctx context.Context) (Part, error) {
	again, err := o.redraw()
	if errors.Is(err, data.ErrNoRecipe) {
		why := data.ErrNoRecipe.Error() + ": it was imported or made elsewhere"
		return Part{Rows: []Row{notMeasured("B-mode with another stiffness", why), notMeasured("stored planes made again", why),
			notMeasured("hypoechoic share of foci", why), notMeasured("calcification among the false positives", why)}}, nil
	}
	if err != nil {
		return Part{}, err
	}
	var p Part
	rows, err := o.swaps(ctx, again)
	if err != nil {
		return Part{}, err
	}
	p.Rows = append(p.Rows, rows...)
	stones, err := o.stones(ctx, again)
	if err != nil {
		return Part{}, err
	}
	p.Rows = append(p.Rows, stones)
	var patients []*phantom.Patient
	for _, c := range o.Cohorts {
		patients = append(patients, again[c].own.Patients...)
	}
	p.Rows = append(p.Rows, population(o.organ(), patients)...)
	p.Rows = append(p.Rows, Row{Quantity: "networks on shuffled pairs and on depth alone fall to the zone baseline", Verdict: Reported,
		Note: "data.ShufflePairs and data.DepthOnly make the samples; training them is no part of this report"})
	return p, nil
}

// examined lists, for one plane of each of up to twelve patients, the rows of a cohort.
func examined(c *data.Cohort) []data.Row {
	const most = 12
	var chosen []data.Row
	for _, r := range c.Rows {
		if !slices.ContainsFunc(chosen, func(c data.Row) bool { return c.Patient == r.Patient }) {
			chosen = append(chosen, r)
		}
	}
	if n := len(chosen); n > most { // spread over the cohort
		for k := range most {
			chosen[k] = chosen[k*n/most]
		}
		chosen = chosen[:most]
	}
	return chosen
}

// swaps compares stored B-modes with those made again, with the patient's own stiffness and with another, and one stored
// elastogram of each cohort.
func (o Options) swaps(ctx context.Context, again map[*data.Cohort]redrawn) ([]Row, error) {
	var leaking, changed atomic.Int64
	planes := 0
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, c := range o.Cohorts {
		for k, r := range examined(c) {
			planes++
			group.Go(func() error {
				stored, err := c.Plane(r)
				if err != nil {
					return err
				}
				same, err := again[c].own.Echo(ctx, r.Patient, r.Plane)
				if err != nil {
					return err
				}
				other, err := again[c].swapped.Echo(ctx, r.Patient, r.Plane)
				if err != nil {
					return err
				}
				if !slices.Equal(same, other) {
					leaking.Add(1)
				}
				differs := !slices.Equal(same, stored.BMode)
				if k == 0 {
					whole, err := again[c].own.Plane(ctx, r.Patient, r.Plane)
					if err != nil {
						return err
					}
					differs = differs || !slices.EqualFunc(whole.SWEKPa, stored.SWEKPa, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) })
				}
				if differs {
					changed.Add(1)
				}
				return nil
			})
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	elastograms := "one elastogram"
	if n := len(o.Cohorts); n > 1 {
		elastograms = fmt.Sprintf("%d elastograms", n)
	}
	samples := fmt.Sprintf("a plane of %d patients, every byte", planes)
	return []Row{
		judged("planes whose B-mode changes when the stiffness seed is swapped", "", float64(leaking.Load()), limits{0, 0}, "B-mode is bit-identical", samples),
		judged("stored planes that differ when made again from the recipe", "", float64(changed.Load()), limits{0, 0}, "bit-identical per seed", samples+", "+elastograms).
			note("a cohort made by another version of the program differs, and so does one whose echoes were changed"),
	}, nil
}

// stones looks for calcifications, and what lies in their shadow, among the stiff benign regions.
func (o Options) stones(ctx context.Context, again map[*data.Cohort]redrawn) (Row, error) {
	const quantity = "calcification among the false positives of SWE"
	st, err := data.DescribePool(ctx, o.Cohorts, nil)
	if err != nil {
		return Row{}, err
	}
	byPlane := make(map[string][]data.Region)
	for _, r := range st.FalsePositiveOf {
		byPlane[r.Patient+"/"+r.Plane] = append(byPlane[r.Patient+"/"+r.Plane], r)
	}
	if len(byPlane) == 0 {
		return notMeasured(quantity, "no benign region is above the best cut"), nil
	}
	var with, total atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	const most = 150 // planes: a tissue section takes a fifth of a second
	names := slices.Sorted(maps.Keys(byPlane))
	for k := range min(most, len(names)) {
		regions := byPlane[names[k*len(names)/min(most, len(names))]]
		group.Go(func() error {
			c, patient := data.FromPool(o.Cohorts, regions[0].Patient)
			s, err := again[c].own.Section(ctx, patient, regions[0].Plane)
			if err != nil {
				return err
			}
			for _, r := range regions {
				total.Add(1)
				if hasStone(s, r) {
					with.Add(1)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return Row{}, err
	}
	share := 100 * float64(with.Load()) / float64(total.Load())
	_, known := published[o.organ()]
	return judge(known, quantity, "%", share, atLeast(0.1), "Barr: 6 of 11 false positives", fmt.Sprintf("%d benign regions above the cut", total.Load())), nil
}

// hasStone tells whether a region holds part of a stone.
func hasStone(s *phantom.Section, r data.Region) bool {
	const half = 2.5 // mm
	for i, stone := range s.Calcification {
		if stone && math.Abs(s.Grid.DepthMM(i/s.Grid.Width)-r.DepthMM) < half && math.Abs(s.Grid.LateralMM(i%s.Grid.Width)-r.LateralMM) < half {
			return true
		}
	}
	return false
}

// population are the rows about who the patients are.
func population(organ string, patients []*phantom.Patient) []Row {
	want, known := published[organ]
	var age, volume []float64
	var dark, foci float64
	for _, p := range patients {
		age, volume = append(age, p.AgeYears), append(volume, p.VolumeML)
		for _, f := range p.Foci {
			if foci++; f.Hypoechoic {
				dark++
			}
		}
	}
	slices.Sort(age)
	slices.Sort(volume)
	q := func(v []float64, p float64) float64 { return stat.Quantile(p, stat.LinInterp, v, nil) }
	who := fmt.Sprintf("%d patients", len(patients))
	rows := []Row{reported("age, median (quartiles)", "years", q(age, 0.5), "", who).interval([2]float64{q(age, 0.25), q(age, 0.75)}),
		reported("organ volume, median (quartiles)", "ml", q(volume, 0.5), "", who).interval([2]float64{q(volume, 0.25), q(volume, 0.75)})}
	if known {
		rows = append(rows, Row{Quantity: "tumours look 4.8 mm smaller in B-mode than in the section (Shinohara 1989)", Verdict: Tested, Source: "data/phantom, TestTumoursLookSmallerThanTheyAre"})
	}
	if foci == 0 {
		return append(rows, notMeasured("hypoechoic share of foci", "no focus"))
	}
	se := 196 * math.Sqrt(dark/foci*(1-dark/foci)/foci)
	share := 100 * dark / foci
	return append(rows, judge(known, "hypoechoic share of foci", "%", share, want.hypoechoic, "60 % (Shinohara 1989)", fmt.Sprintf("%.0f foci", foci)).
		interval([2]float64{max(0, share-se), min(100, share+se)}).under("hypoechoic, %"))
}
