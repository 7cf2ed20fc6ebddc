package validation

import (
	"fmt"
	"math"
)

// Verdict is what a row came to.
type Verdict string

// The verdicts. Only the first two are judged.
const (
	Holds       Verdict = "holds"
	Fails       Verdict = "does not hold"
	Reported    Verdict = "reported"     // measured; nothing published to hold it against
	NotMeasured Verdict = "not measured" // the note says why
	Tested      Verdict = "Go test"      // asserted by the test that the source names
)

// Row is one line of the acceptance table.
type Row struct {
	Group    string      `json:"group"` // "scanner endfire-a", "cohort"
	Quantity string      `json:"quantity"`
	Unit     string      `json:"unit,omitempty"`
	Target   string      `json:"target,omitempty"`
	Value    *float64    `json:"value,omitempty"`
	CI95     *[2]float64 `json:"ci95,omitempty"` // bootstrap over patients
	Verdict  Verdict     `json:"verdict"`
	Source   string      `json:"source,omitempty"`  // of the target
	Samples  string      `json:"samples,omitempty"` // what the value was measured on
	Note     string      `json:"note,omitempty"`
	// Heading is the row's in the table of single cohorts; empty for rows that it leaves out.
	Heading string `json:"heading,omitempty"`

	target limits
}

// Curve is a line of a figure.
type Curve struct {
	X []float64 `json:"x"`
	Y []float64 `json:"y"`
}

// Part is what one step of a validation measured.
type Part struct {
	Rows   []Row            `json:"rows"`
	Curves map[string]Curve `json:"curves,omitempty"`
	ROC    []ROC            `json:"roc,omitempty"`
	Alone  []Alone          `json:"alone,omitempty"`
}

// Alone is what one cohort of several would be told by itself, of the rows with a heading. It is shown and not counted.
type Alone struct {
	Cohort   string `json:"cohort"`
	Patients int    `json:"patients"`
	Rows     []Row  `json:"rows"`
}

// ROC is a receiver operating characteristic with its area.
type ROC struct {
	Name string     `json:"name"`
	AUC  float64    `json:"auc"`
	CI95 [2]float64 `json:"ci95"`
	Curve
}

// Report is a whole validation.
type Report struct {
	Title     string `json:"title"`
	Simulated bool   `json:"simulated"`
	Part
}

// Count says how many rows have a verdict.
func (r *Report) Count(v Verdict) int {
	n := 0
	for _, row := range r.Rows {
		if row.Verdict == v {
			n++
		}
	}
	return n
}

// limits is the range that a row must keep; an infinite end is open.
type limits struct{ low, high float64 }

func atLeast(v float64) limits { return limits{v, math.Inf(1)} }
func atMost(v float64) limits  { return limits{math.Inf(-1), v} }

func (l limits) String() string {
	switch {
	case math.IsInf(l.low, -1):
		return "at most " + number(l.high)
	case math.IsInf(l.high, 1):
		return "at least " + number(l.low)
	case l.low == l.high:
		return number(l.low)
	}
	return number(l.low) + " to " + number(l.high)
}

// judged is a row that holds where the value keeps the limits; NaN never does.
func judged(quantity, unit string, value float64, target limits, source, samples string) Row {
	r := reported(quantity, unit, value, source, samples)
	r.Target, r.target, r.Verdict = target.String(), target, Fails
	if value >= target.low && value <= target.high {
		r.Verdict = Holds
	}
	return r
}

func reported(quantity, unit string, value float64, source, samples string) Row {
	r := Row{Quantity: quantity, Unit: unit, Verdict: Reported, Source: source, Samples: samples}
	if !math.IsNaN(value) && !math.IsInf(value, 0) {
		r.Value = &value
	}
	return r
}

func notMeasured(quantity, why string) Row {
	return Row{Quantity: quantity, Verdict: NotMeasured, Note: why}
}

// interval adds a bootstrap interval. A value that misses its target does not hold, however wide that is; a note says
// where the interval reaches the target, for then more patients would tell.
func (r Row) interval(ci [2]float64) Row {
	r.CI95 = &ci
	if r.Verdict == Fails && ci[0] <= r.target.high && ci[1] >= r.target.low {
		return r.note("its interval reaches the target")
	}
	return r
}

// under gives the row its heading in the table of single cohorts.
func (r Row) under(heading string) Row {
	r.Heading = heading
	return r
}

// note adds a remark to those that are there.
func (r Row) note(text string) Row {
	if r.Note != "" {
		text = r.Note + "; " + text
	}
	r.Note = text
	return r
}

// Measured is the value in words.
func (r Row) Measured() string {
	if r.Value == nil {
		if r.Verdict == Fails {
			return "no number"
		}
		return ""
	}
	s := number(*r.Value)
	if r.CI95 != nil {
		s += fmt.Sprintf(" (%s to %s)", number(r.CI95[0]), number(r.CI95[1]))
	}
	if r.Unit != "" {
		s += " " + r.Unit
	}
	return s
}

// number prints three digits, without an exponent.
func number(v float64) string {
	a := math.Abs(v)
	switch {
	case v == math.Trunc(v) && a < 1e6:
		return fmt.Sprintf("%.0f", v)
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	case a >= 0.1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.2g", v)
}
