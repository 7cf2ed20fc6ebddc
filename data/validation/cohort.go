package validation

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"elastography/data"
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

// planes measures the cohorts as they are stored.
func (o Options) planes(ctx context.Context) (Part, error) {
	st, err := data.DescribePool(ctx, o.Cohorts, nil)
	if err != nil {
		return Part{}, err
	}
	want, known := published[o.organ()]
	p := Part{Curves: map[string]Curve{}}
	add := func(rows ...Row) { p.Rows = append(p.Rows, rows...) }
	who := fmt.Sprintf("%d planes of %d patients", st.Planes, st.Patients)

	shared := 0
	for _, c := range o.Cohorts {
		for _, patient := range c.Patients(data.Train) {
			if slices.Contains(c.Patients(data.Test), patient) {
				shared++
			}
		}
	}
	add(judged("patients in both splits", "", float64(shared), limits{0, 0}, "split by patient", who))
	for _, t := range st.Trivial {
		r := reported("trivial predictor: "+t.Name+", mean absolute error", "kPa", t.MAEKPa, "", fmt.Sprintf("%d test patients", st.TestPatients))
		if t.Name == "median" { // the others know more
			r = judge(known, r.Quantity, r.Unit, t.MAEKPa, want.trivialKPa, "difficulty budget: constant 7-9 kPa", r.Samples).under("error of the median, kPa")
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
	add := func(d *data.Discrimination, judged bool, quantity, heading, source string, target limits) {
		if d == nil {
			rows = append(rows, notMeasured(quantity, "no such case with a stiffness and three benign peers, or no true labels"))
			return
		}
		samples := fmt.Sprintf("%d with tumour and %d benign", d.Tumour, d.Benign)
		r := judge(known && judged, quantity, "", d.AUC, target, source, samples).interval(d.CI95)
		if r.Verdict == Fails || !judged {
			r = r.note(shares(st))
		}
		if judged {
			r = r.under(heading)
		}
		rows = append(rows, r)
	}
	const registered, truth = ", histopathology as registered", ", true histopathology"
	for _, c := range []struct {
		cases, short      string
		d                 data.Discriminations
		judgeSWE, judgeUS bool
	}{
		{"halves of the peripheral zone in a plane by their stiffest 5 mm", "halves", st.Sextants, true, false},
		{"foci", "foci", st.Lesions, false, true},
		{"5 mm squares", "squares", st.Squares, true, true},
	} {
		if c.d == (data.Discriminations{}) {
			continue
		}
		swe, echo := "tumour AUC of SWE, "+c.cases, "tumour AUC of B-mode, "+c.cases+" darker than their peers in plane, zone and depth"
		add(c.d.SWE, c.judgeSWE, swe+registered, "SWE, "+c.short+", registered", "0.73-0.90 (Sage 2023, Jeon 2023)", want.sweAUC)
		add(c.d.SWETrue, c.judgeSWE, swe+truth, "SWE, "+c.short+", true", "0.73-0.90", want.sweAUC)
		if c.d.Echo != nil || c.d.EchoTrue != nil {
			add(c.d.Echo, c.judgeUS, echo+registered, "B-mode, "+c.short+", registered", "lesion AUC 0.60-0.70 (PMC1693478: 0.64)", want.echoAUC)
			add(c.d.EchoTrue, c.judgeUS, echo+truth, "B-mode, "+c.short+", true", "lesion AUC 0.60-0.70", want.echoAUC)
		}
		if best := cmp.Or(c.d.SWETrue, c.d.SWE); best != nil {
			cut := judge(known && c.judgeSWE, "best cut of SWE (Youden), "+c.cases, "kPa", best.Cut, want.cutKPa, "Barr 37, Sage 35.9, Correas 35, Shoji 41",
				fmt.Sprintf("%d with tumour and %d benign", best.Tumour, best.Benign)).interval(best.CutCI95).
				note(fmt.Sprintf("sensitivity %.0f %%, specificity %.0f %%", 100*best.Sensitivity, 100*best.Specificity))
			if c.judgeSWE {
				cut = cut.under("best cut, " + c.short + ", kPa")
			}
			rows = append(rows, cut)
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
