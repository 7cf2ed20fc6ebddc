package validation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/stat"

	"elastography/data"
	"elastography/data/phantom"
)

// expected are the published ranges that a cohort's own figures are held against; without them they are only reported.
type expected struct {
	echoAUC, sweAUC, cutKPa, trivialKPa, hypoechoic limits
}

// published are the prostate's. Stiffness and detection of the thyroid are published, but in ranges too wide to judge by.
var published = map[string]expected{
	"prostate": {echoAUC: limits{0.60, 0.70}, sweAUC: limits{0.73, 0.90}, cutKPa: limits{35, 41}, trivialKPa: limits{7, 9}, hypoechoic: limits{55, 65}},
}

// judge holds a value against a published range where there is one.
func judge(known bool, quantity, unit string, value float64, target limits, source, samples string) Row {
	if !known {
		return reported(quantity, unit, value, "", samples)
	}
	return judged(quantity, unit, value, target, source, samples)
}

// planes measures the cohort as it is stored.
func (o Options) planes(ctx context.Context) (Part, error) {
	st, err := data.Describe(ctx, o.Cohort, nil)
	if err != nil {
		return Part{}, err
	}
	want, known := published[o.Cohort.Rows[0].Organ]
	p := Part{Curves: map[string]Curve{}}
	add := func(rows ...Row) { p.Rows = append(p.Rows, rows...) }
	who := fmt.Sprintf("%d planes of %d patients", st.Planes, st.Patients)

	shared := 0
	for _, patient := range o.Cohort.Patients(data.Train) {
		if slices.Contains(o.Cohort.Patients(data.Test), patient) {
			shared++
		}
	}
	add(judged("patients in both splits", "", float64(shared), limits{0, 0}, "split by patient", who))
	for _, t := range st.Trivial {
		r := reported("trivial predictor: "+t.Name+", mean absolute error", "kPa", t.MAEKPa, "", fmt.Sprintf("%d test patients", st.TestPatients))
		if t.Name == "median" { // the others know more
			r = judge(known, r.Quantity, r.Unit, t.MAEKPa, want.trivialKPa, "difficulty budget: constant 7-9 kPa", r.Samples)
		}
		add(r.interval(t.CI95))
	}
	add(discrimination(st, known, want, &p)...)
	if n := st.Planes; st.Squares.Echo != nil {
		add(judged("correlation of grey level and stiffness, benign regions beside their peers", "", st.EchoStiffness, limits{-0.35, 0.35}, "shared latents: within-zone ρ -0.2 to -0.35 before speckle", fmt.Sprintf("%d planes", n)))
	} else {
		add(notMeasured("correlation of grey level and stiffness", "needs histopathology labels"))
	}
	if st.RegisteredTo.N > 0 {
		add(judge(known, "organ as registered against true, Dice", "", st.RegisteredTo.Median, limits{0.85, 0.95}, "0.91 after deformable registration (PMC2975408)", fmt.Sprintf("median of %d planes", st.RegisteredTo.N)))
	} else {
		add(notMeasured("organ as registered against true", "needs true labels, which only simulated planes have"))
	}
	add(reported("SWE pixels at the display limit", "%", 100*st.Saturated, "", who))
	add(depthRow(st, &p))
	for _, g := range st.Zones {
		c := Curve{X: g.Percentiles[:]}
		for k := range g.Percentiles {
			c.Y = append(c.Y, 5*float64(k+1))
		}
		p.Curves["stiffness/"+g.Name] = c
	}
	for _, g := range append(slices.Clone(st.Zones), st.Grades...) {
		unit := "pixels"
		if slices.Contains(st.Grades, g) {
			unit = "foci in planes"
		}
		add(reported("stiffness shown, "+g.Name+", median (quartiles)", "kPa", g.Median, "", fmt.Sprintf("%d %s", g.N, unit)).interval([2]float64{g.Q1, g.Q3}))
	}
	return p, nil
}

// discrimination are the rows of tumour against benign tissue. A published range is held against the cases that it was
// published for and against squares, which the acceptance table asks for; the other cases are reported beside them.
func discrimination(st *data.Statistics, known bool, want expected, p *Part) []Row {
	if st.Squares.SWE == nil {
		return []Row{notMeasured("tumour AUC of SWE and of B-mode", "needs histopathology labels with tumour and benign regions")}
	}
	var rows []Row
	add := func(d *data.Discrimination, judged bool, quantity, source string, target limits) {
		if d == nil {
			rows = append(rows, notMeasured(quantity, "no such case with a stiffness and three benign peers, or no true labels"))
			return
		}
		samples := fmt.Sprintf("%d with tumour and %d benign", d.Tumour, d.Benign)
		r := judge(known && judged, quantity, "", d.AUC, target, source, samples).interval(d.CI95)
		if r.Verdict == Fails || !judged {
			r = r.note(shares(st))
		}
		rows = append(rows, r)
	}
	const registered, truth = ", histopathology as registered", ", true histopathology"
	for _, c := range []struct {
		cases             string
		d                 data.Discriminations
		judgeSWE, judgeUS bool
	}{
		{"halves of the peripheral zone in a plane by their stiffest 5 mm", st.Sextants, true, false},
		{"foci", st.Lesions, false, true},
		{"5 mm squares", st.Squares, true, true},
	} {
		if c.d == (data.Discriminations{}) {
			continue
		}
		swe, echo := "tumour AUC of SWE, "+c.cases, "tumour AUC of B-mode, "+c.cases+" darker than their peers in plane, zone and depth"
		add(c.d.SWE, c.judgeSWE, swe+registered, "0.73-0.90 (Sage 2023, Jeon 2023)", want.sweAUC)
		add(c.d.SWETrue, c.judgeSWE, swe+truth, "0.73-0.90", want.sweAUC)
		if c.d.Echo != nil || c.d.EchoTrue != nil {
			add(c.d.Echo, c.judgeUS, echo+registered, "lesion AUC 0.60-0.70 (PMC1693478: 0.64)", want.echoAUC)
			add(c.d.EchoTrue, c.judgeUS, echo+truth, "lesion AUC 0.60-0.70", want.echoAUC)
		}
		if best := cmp.Or(c.d.SWETrue, c.d.SWE); best != nil {
			rows = append(rows, judge(known && c.judgeSWE, "best cut of SWE (Youden), "+c.cases, "kPa", best.Cut, want.cutKPa, "Barr 37, Sage 35.9, Correas 35, Shoji 41",
				fmt.Sprintf("%d with tumour and %d benign", best.Tumour, best.Benign)).interval(best.CutCI95).
				note(fmt.Sprintf("sensitivity %.0f %%, specificity %.0f %%", 100*best.Sensitivity, 100*best.Specificity)))
		}
	}
	for _, c := range []struct {
		name string
		d    *data.Discrimination
	}{{"SWE, halves, as registered", st.Sextants.SWE}, {"SWE, halves, true", st.Sextants.SWETrue}, {"SWE, squares, as registered", st.Squares.SWE}, {"SWE, squares, true", st.Squares.SWETrue},
		{"B-mode, foci, as registered", st.Lesions.Echo}, {"B-mode, foci, true", st.Lesions.EchoTrue}} {
		if c.d != nil {
			p.ROC = append(p.ROC, ROC{c.name, c.d.AUC, c.d.CI95, Curve{c.d.FalsePositive, c.d.TruePositive}})
		}
	}
	return rows
}

// shares names two things that make tumours hard to tell: both are measured, neither is shown to be the cause.
func shares(st *data.Statistics) string {
	low, all := 0, 0
	for _, g := range st.Grades {
		if all += g.N; strings.HasSuffix(g.Name, " 1") {
			low = g.N
		}
	}
	why := fmt.Sprintf("%d of %d foci in planes are of grade group 1", low, all)
	if st.RegisteredTo.N > 0 {
		why += fmt.Sprintf("; outlines as registered overlap the true ones by %.2f (Dice of the organ)", st.RegisteredTo.Median)
	}
	return why
}

// depthRow compares what shows a stiffness above 20 mm with what does below 30 mm.
func depthRow(st *data.Statistics, p *Part) Row {
	var shallow, deep, nShallow, nDeep float64
	curve := Curve{}
	for _, d := range st.ValidByDepth {
		curve.X, curve.Y = append(curve.X, (d.FromMM+d.ToMM)/2), append(curve.Y, 100*d.Valid)
		switch n := float64(d.Pixels); {
		case d.ToMM <= 20:
			shallow, nShallow = shallow+n*d.Valid, nShallow+n
		case d.FromMM >= 30:
			deep, nDeep = deep+n*d.Valid, nDeep+n
		}
	}
	p.Curves["valid"] = curve
	if nShallow == 0 || nDeep == 0 {
		return notMeasured("valid share of the SWE box, below 30 mm over above 20 mm", "no box reaches both depths")
	}
	return judged("valid share of the SWE box, below 30 mm over above 20 mm", "%", 100*(deep/nDeep)/(shallow/nShallow), atMost(90), "facts: falling past 30 mm",
		fmt.Sprintf("%.0f and %.0f pixels of 0.7 mm", nShallow, nDeep)).note(fmt.Sprintf("%.0f %% above 20 mm, %.0f %% below 30 mm", 100*shallow/nShallow, 100*deep/nDeep))
}

// leakage draws the cohort's patients again, with their own stiffness and with another.
func (o Options) leakage(ctx context.Context) (Part, error) {
	recipe, err := o.Cohort.Recipe()
	if errors.Is(err, data.ErrNoRecipe) {
		why := "the cohort has no recipe.json: it was imported or made elsewhere"
		return Part{Rows: []Row{notMeasured("B-mode with another stiffness", why), notMeasured("stored planes made again", why),
			notMeasured("hypoechoic share of foci", why), notMeasured("calcification among the false positives", why)}}, nil
	}
	if err != nil {
		return Part{}, err
	}
	own, err := recipe.Redraw(0)
	if err != nil {
		return Part{}, err
	}
	swapped, err := recipe.Redraw(recipe.Seed + 1)
	if err != nil {
		return Part{}, err
	}
	var p Part
	rows, err := o.swaps(ctx, own, swapped)
	if err != nil {
		return Part{}, err
	}
	p.Rows = append(p.Rows, rows...)
	stones, err := o.stones(ctx, own)
	if err != nil {
		return Part{}, err
	}
	p.Rows = append(p.Rows, stones)
	p.Rows = append(p.Rows, population(recipe.Organ, own.Patients)...)
	p.Rows = append(p.Rows, Row{Quantity: "networks on shuffled pairs and on depth alone fall to the zone baseline", Verdict: Reported,
		Note: "data.ShufflePairs and data.DepthOnly make the samples; training them is no part of this report"})
	return p, nil
}

// swaps compares, for one plane of each of up to twelve patients, the stored B-mode with the one made again, with the
// patient's own stiffness and with another, and one stored elastogram.
func (o Options) swaps(ctx context.Context, own, swapped *data.Redrawing) ([]Row, error) {
	const most = 12
	var chosen []data.Row
	for _, r := range o.Cohort.Rows {
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
	var leaking, changed atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for k, r := range chosen {
		group.Go(func() error {
			stored, err := o.Cohort.Plane(r)
			if err != nil {
				return err
			}
			same, err := own.Echo(ctx, r.Patient, r.Plane)
			if err != nil {
				return err
			}
			other, err := swapped.Echo(ctx, r.Patient, r.Plane)
			if err != nil {
				return err
			}
			if !slices.Equal(same, other) {
				leaking.Add(1)
			}
			differs := !slices.Equal(same, stored.BMode)
			if k == 0 {
				again, err := own.Plane(ctx, r.Patient, r.Plane)
				if err != nil {
					return err
				}
				differs = differs || !slices.EqualFunc(again.SWEKPa, stored.SWEKPa, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) })
			}
			if differs {
				changed.Add(1)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	samples := fmt.Sprintf("a plane of %d patients, every byte", len(chosen))
	return []Row{
		judged("planes whose B-mode changes when the stiffness seed is swapped", "", float64(leaking.Load()), limits{0, 0}, "B-mode is bit-identical", samples),
		judged("stored planes that differ when made again from the recipe", "", float64(changed.Load()), limits{0, 0}, "bit-identical per seed", samples+", one elastogram").
			note("a cohort made by another version of the program differs, and so does one whose echoes were changed"),
	}, nil
}

// stones looks for calcifications, and what lies in their shadow, among the stiff benign regions.
func (o Options) stones(ctx context.Context, own *data.Redrawing) (Row, error) {
	const quantity = "calcification among the false positives of SWE"
	st, err := data.Describe(ctx, o.Cohort, nil)
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
			s, err := own.Section(ctx, regions[0].Patient, regions[0].Plane)
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
	_, known := published[o.Cohort.Rows[0].Organ]
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
	if foci == 0 {
		return append(rows, notMeasured("hypoechoic share of foci", "no focus"))
	}
	se := 196 * math.Sqrt(dark/foci*(1-dark/foci)/foci)
	share := 100 * dark / foci
	return append(rows, judge(known, "hypoechoic share of foci", "%", share, want.hypoechoic, "60 % (Shinohara 1989)", fmt.Sprintf("%.0f foci", foci)).interval([2]float64{max(0, share-se), min(100, share+se)}))
}
