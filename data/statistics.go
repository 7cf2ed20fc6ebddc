package data

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/stat"

	"elastography/data/phantom"
)

// statisticsMM is the pixel on which a cohort is described: finer than what SWE resolves.
const statisticsMM = 0.7

// depthStepMM is the width of the depth bins.
const depthStepMM = 5.0

// Statistics describe a cohort as it is stored, without any model: the data card prints them and the validation judges
// them. What needs labels is empty without them; what needs the simulation's truth uses the registered labels without it.
type Statistics struct {
	Simulated     bool    `json:"simulated"`
	Patients      int     `json:"patients"`
	TestPatients  int     `json:"test_patients"`
	Planes        int     `json:"planes"`
	Foci          int     `json:"foci"`
	FociInPlanes  int     `json:"foci_in_planes"` // focus and plane pairs of at least 10 mm² with a stiffness
	Saturated     float64 `json:"saturated_share"`
	DiameterMM    Spread  `json:"focus_diameter_mm"`
	RegisteredTo  Spread  `json:"registered_dice"` // Dice of organ as registered and true, over planes
	EchoStiffness float64 `json:"echo_stiffness_correlation"`

	ValidByDepth []DepthShare       `json:"valid_by_depth"`
	Zones        []Group            `json:"zones"`  // stiffness shown, pixels by true label
	Grades       []Group            `json:"grades"` // stiffness shown, median of each focus in a plane
	Trivial      []TrivialPredictor `json:"trivial_predictors"`

	// Tumour against benign tissue, by three kinds of cases. Sextants are of prostates only.
	Squares         Discriminations `json:"squares"`
	Lesions         Discriminations `json:"lesions"`
	Sextants        Discriminations `json:"sextants"`
	FalsePositiveOf []Region        `json:"-"` // benign squares stiffer than the squares' best cut
}

// Discriminations are what both images tell about the same cases: with histopathology as registered, as a whole-mount
// study has it, and as it lies in the body, as a biopsy samples it (the simulation's truth).
type Discriminations struct {
	SWE      *Discrimination `json:"swe,omitempty"`
	SWETrue  *Discrimination `json:"swe_true,omitempty"`
	Echo     *Discrimination `json:"echo,omitempty"` // darker than its peers
	EchoTrue *Discrimination `json:"echo_true,omitempty"`
}

// Spread is a distribution in three numbers.
type Spread struct {
	Median, Q1, Q3 float64
	N              int
}

// Group is the stiffness of a kind of tissue, kPa.
type Group struct {
	Name  string
	Label uint8 // of a zone; the ISUP grade group of a grade
	Spread
	Percentiles [19]float64 // 5, 10, … 95 %; kPa
}

// DepthShare is the share of the SWE box's pixels that show a stiffness, at a depth.
type DepthShare struct {
	FromMM, ToMM, Valid float64
	Pixels              int
}

// described is a plane on the statistics grid.
type described struct {
	*Sample
	split            Split
	valid, saturated int // stored pixels
}

// truth is the label map nearest to the tissue.
func (s *Sample) truth() []uint8 {
	if s.LabelsTrue != nil {
		return s.LabelsTrue
	}
	return s.Labels
}

// Describe reads all planes of a cohort once and measures it. Equal cohorts give equal statistics, whatever the number
// of workers. A damaged plane is an error that names it. onPlane, which may be nil, is told of each plane.
func Describe(ctx context.Context, c *Cohort, onPlane func(done, total int)) (*Statistics, error) {
	return DescribePool(ctx, []*Cohort{c}, onPlane)
}

// DescribePool measures cohorts as Describe would one that held all their patients. A Region's patient is then named after
// his cohort, too; FromPool undoes that.
func DescribePool(ctx context.Context, cohorts []*Cohort, onPlane func(done, total int)) (*Statistics, error) {
	total := 0
	for _, c := range cohorts {
		total += len(c.Rows)
	}
	planes := make([]described, total)
	finished := make(chan struct{}, total)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	counted := make(chan struct{})
	go func() {
		defer close(counted)
		done := 0
		for range finished {
			if done++; onPlane != nil {
				onPlane(done, total)
			}
		}
	}()
	first := 0
	for _, c := range cohorts {
		for k, r := range c.Rows {
			into := &planes[first+k]
			group.Go(func() error {
				if err := context.Cause(ctx); err != nil {
					return err
				}
				p, err := c.Plane(r)
				if err != nil {
					return fmt.Errorf("describe cohort %s: %w", c.Dir, err)
				}
				*into = describe(p, r.Split)
				into.Patient = inPool(cohorts, c, r.Patient)
				finished <- struct{}{}
				return nil
			})
		}
		first += len(c.Rows)
	}
	err := group.Wait()
	close(finished)
	<-counted
	if err != nil {
		return nil, err
	}
	return summarise(cohorts, planes), nil
}

func describe(p *Plane, split Split) described {
	g := Grid{Height: int(math.Ceil(float64(p.Height) * p.MMPerPx / statisticsMM)), Width: int(math.Ceil(float64(p.Width) * p.MMPerPx / statisticsMM)), MMPerPx: statisticsMM}
	d := described{Sample: p.Resample(g), split: split, valid: p.ValidPixels()}
	for _, s := range p.Saturated {
		if s {
			d.saturated++
		}
	}
	return d
}

func summarise(cohorts []*Cohort, planes []described) *Statistics {
	st := &Statistics{Planes: len(planes)}
	var foci []FocusRow
	for _, c := range cohorts {
		test := len(c.Patients(Test))
		st.Simulated = st.Simulated || c.Simulated()
		st.TestPatients, st.Patients = st.TestPatients+test, st.Patients+len(c.Patients(Train))+test
		for _, f := range c.Foci {
			f.Patient = inPool(cohorts, c, f.Patient)
			foci = append(foci, f)
		}
	}
	st.Foci = len(foci)
	var valid, saturated int
	var dice, diameters []float64
	for _, p := range planes {
		valid, saturated = valid+p.valid, saturated+p.saturated
		if p.Labels != nil && p.LabelsTrue != nil {
			dice = append(dice, organDice(p.Labels, p.LabelsTrue))
		}
	}
	for _, f := range foci {
		diameters = append(diameters, f.DiameterMM)
	}
	st.Saturated = float64(saturated) / float64(max(valid, 1))
	st.RegisteredTo, st.DiameterMM = spreadOf(dice), spreadOf(diameters)
	st.ValidByDepth = validByDepth(planes)
	st.Zones, st.Grades = stiffnessByZone(planes), stiffnessByGrade(planes, foci)
	for _, g := range st.Grades {
		st.FociInPlanes += g.N
	}
	st.Trivial = trivialPredictors(planes)
	st.discriminate(planes, cohorts[0].Rows[0].Organ)
	return st
}

// discriminate scores squares, lesions and sextants.
func (st *Statistics) discriminate(planes []described, organ string) {
	var truth []Region
	st.Squares, truth = discriminations(planes, Squares)
	st.Lesions, _ = discriminations(planes, Lesions)
	if organ == "prostate" {
		st.Sextants, _ = discriminations(planes, Sextants)
	}
	best := cmp.Or(st.Squares.SWETrue, st.Squares.SWE)
	// Within a zone of a plane, benign tissue alone: what echo and stiffness share.
	var x, y []float64
	for _, r := range truth {
		if !r.Tumour && !math.IsNaN(r.Contrast) && r.KPa > 0 {
			x, y = append(x, r.Contrast), append(y, r.KPa)
		}
		if best != nil && !r.Tumour && r.KPa > best.Cut {
			st.FalsePositiveOf = append(st.FalsePositiveOf, r)
		}
	}
	if st.EchoStiffness = stat.Correlation(x, y, nil); len(x) < 3 || math.IsNaN(st.EchoStiffness) {
		st.EchoStiffness = 0
	}
}

// discriminations scores the cases of all planes; truth are those of the best histopathology there is.
func discriminations(planes []described, cases func(*Sample, []uint8) []Region) (d Discriminations, truth []Region) {
	const seed = 1
	score := func(list []Region, by func(Region) float64) *Discrimination {
		if d, ok := Discriminate(list, seed, by); ok {
			return &d
		}
		return nil
	}
	darker := func(r Region) float64 { return -r.Contrast }
	stiffer := func(r Region) float64 { return r.KPa }
	collect := func(labels func(described) []uint8) (list []Region) {
		for _, p := range planes {
			if l := labels(p); l != nil {
				list = append(list, cases(p.Sample, l)...)
			}
		}
		return list
	}
	registered := collect(func(p described) []uint8 { return p.Labels })
	d.SWE, d.Echo = score(registered, stiffer), score(registered, darker)
	truth = collect(func(p described) []uint8 { return p.LabelsTrue })
	d.SWETrue, d.EchoTrue = score(truth, stiffer), score(truth, darker)
	if len(truth) == 0 {
		truth = registered
	}
	return d, truth
}

func spreadOf(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	v := slices.Sorted(slices.Values(values))
	q := func(p float64) float64 { return stat.Quantile(p, stat.LinInterp, v, nil) }
	return Spread{Median: q(0.5), Q1: q(0.25), Q3: q(0.75), N: len(v)}
}

func groupOf(name string, label uint8, values []float64) Group {
	g := Group{Name: name, Label: label, Spread: spreadOf(values)}
	slices.Sort(values)
	for k := range g.Percentiles {
		g.Percentiles[k] = stat.Quantile(0.05*float64(k+1), stat.LinInterp, values, nil)
	}
	return g
}

// organDice is the Dice coefficient of the organ in two label maps.
func organDice(a, b []uint8) float64 {
	var na, nb, both float64
	for i := range a {
		inA, inB := a[i] != phantom.LabelOutside, b[i] != phantom.LabelOutside
		if inA {
			na++
		}
		if inB {
			nb++
		}
		if inA && inB {
			both++
		}
	}
	if na+nb == 0 {
		return 1
	}
	return 2 * both / (na + nb)
}

// validByDepth takes the rectangle around a plane's valid pixels for its SWE box, which is not stored.
func validByDepth(planes []described) []DepthShare {
	var bins []DepthShare
	for _, p := range planes {
		w := p.Grid.Width
		top, bottom, left, right := p.Grid.Height, 0, w, 0
		for i, ok := range p.Mask {
			if ok {
				top, bottom, left, right = min(top, i/w), max(bottom, i/w+1), min(left, i%w), max(right, i%w+1)
			}
		}
		for y := top; y < bottom; y++ {
			k := int(float64(y) * p.Grid.MMPerPx / depthStepMM)
			for len(bins) <= k {
				bins = append(bins, DepthShare{FromMM: float64(len(bins)) * depthStepMM, ToMM: float64(len(bins)+1) * depthStepMM})
			}
			for x := left; x < right; x++ {
				bins[k].Pixels++
				if p.Mask[y*w+x] {
					bins[k].Valid++
				}
			}
		}
	}
	bins = slices.DeleteFunc(bins, func(b DepthShare) bool { return b.Pixels == 0 })
	for k := range bins {
		bins[k].Valid /= float64(bins[k].Pixels)
	}
	return bins
}

func stiffnessByZone(planes []described) []Group {
	values := make(map[uint8][]float64)
	for _, p := range planes {
		for i, l := range p.truth() {
			if p.Mask[i] {
				values[min(l, phantom.LabelFocus)] = append(values[min(l, phantom.LabelFocus)], float64(p.TargetKPa[i]))
			}
		}
	}
	var groups []Group
	for _, l := range slices.Sorted(maps.Keys(values)) {
		groups = append(groups, groupOf(ZoneName(l), l, values[l]))
	}
	return groups
}

func stiffnessByGrade(planes []described, foci []FocusRow) []Group {
	type key struct {
		patient string
		focus   uint8
	}
	grade := make(map[key]int)
	for _, f := range foci {
		grade[key{f.Patient, f.Focus}] = f.GradeGroup
	}
	const leastMM2 = 10.0
	medians := make(map[int][]float64)
	for _, p := range planes {
		inside := make(map[uint8][]float64)
		for i, l := range p.truth() {
			if p.Mask[i] && isFocus(l) {
				inside[l] = append(inside[l], float64(p.TargetKPa[i]))
			}
		}
		for l, v := range inside {
			if float64(len(v))*p.Grid.MMPerPx*p.Grid.MMPerPx >= leastMM2 {
				g := grade[key{p.Patient, l}]
				medians[g] = append(medians[g], spreadOf(v).Median)
			}
		}
	}
	var groups []Group
	for _, g := range slices.Sorted(maps.Keys(medians)) {
		name := fmt.Sprintf("grade group %d", g)
		if g == 0 {
			name = "not graded"
		}
		groups = append(groups, groupOf(name, uint8(g), medians[g]))
	}
	return groups
}
