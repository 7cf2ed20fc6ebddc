package plots

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// GroupError is the error within a group of pixels.
type GroupError struct {
	Facet     string // what the groups divide by, with its unit, such as "Stiffness (kPa)"
	Group     string // such as "20–35"
	MAEKPa    float64
	BiasKPa   float64 // mean of sSWE − SWE; NaN is not shown
	Low, High float64 // 95 % interval of MAEKPa; NaN where there is none
	N         int     // pixels or planes; 0 is not shown
}

type facet struct {
	name   string
	groups []GroupError
}

// ErrorByGroup draws error and bias of each group, a panel for each facet, in the order given.
func ErrorByGroup(groups []GroupError, st Style) (*Figure, error) {
	const name = "ErrorByGroup"
	if err := st.validate(); err != nil {
		return nil, refuse(name, err)
	}
	if len(groups) == 0 {
		return nil, refuse(name, errors.New("groups: none given"))
	}
	values := newLimits()
	values.add(0)
	var facets []facet
	index := map[string]int{}
	var words []string
	counted := false
	for i, g := range groups {
		if !finite(g.MAEKPa) || g.MAEKPa < 0 {
			return nil, refuse(name, fmt.Errorf("groups[%d] (%s, %s): MAEKPa is %v; leave out empty groups", i, g.Facet, g.Group, g.MAEKPa))
		}
		k, seen := index[g.Facet]
		if !seen {
			k = len(facets)
			index[g.Facet] = k
			facets = append(facets, facet{name: g.Facet})
		}
		facets[k].groups = append(facets[k].groups, g)
		values.add(g.MAEKPa, g.BiasKPa, g.High)
		words = append(words, fmt.Sprintf("%s %s: %s", g.Facet, g.Group, intervalWords(g.MAEKPa, g.Low, g.High, 1)))
		counted = counted || g.N > 0
	}
	lines := facetRows(facets)
	high, low := 1.05*values.hi, 1.12*values.lo
	if high <= low {
		high = low + 1
	}

	const left, right, gap, top, height = 12.5, 2.0, 4.0, 7.0, 38.0
	foot := 14.0
	if counted {
		foot += 3.2
	}
	lineMM := height + foot
	bar, dot := solid(blue, 1), draw.GlyphStyle{Color: blue, Radius: 2.2, Shape: draw.CircleGlyph{}}
	biasDot := draw.GlyphStyle{Color: vermillion, Radius: 2.2, Shape: draw.BoxGlyph{}}
	paint := func(p page) {
		mae := entry{text: "mean absolute error", glyph: &dot}
		if slices.ContainsFunc(groups, func(g GroupError) bool { return finite(g.Low) && finite(g.High) }) {
			mae = entry{text: "mean absolute error with 95 % interval", line: &bar, glyph: &dot}
		}
		p.legend(left, 3, 160, []entry{mae, {text: "bias, sSWE − SWE", glyph: &biasDot}})
		for r, line := range lines {
			total := 0
			for _, f := range line {
				total += len(f.groups)
			}
			each := (doubleColumnMM - left - right - gap*float64(len(line)-1)) / float64(total)
			each = math.Min(each, 22)
			x := left
			for k, f := range line {
				axes := newAxes("", "")
				axes.X.Min, axes.X.Max = 0, float64(len(f.groups))
				axes.Y.Min, axes.Y.Max = low, high
				axes.Y.Tick.Marker = steps{6}
				if k == 0 {
					axes.Y.Label.Text = "Error (kPa)"
				} else {
					axes.Y.Tick.Marker = unlabelled{axes.Y.Tick.Marker}
				}
				axes.X.Tick.Marker = plot.ConstantTicks(nil)
				axes.Add(grid{y: true}, facetMarks(f, low < 0, bar, dot, biasDot, each, counted))
				p.place(axes, p.rect(x, top+float64(r)*lineMM, each*float64(len(f.groups)), height))
				x += each*float64(len(f.groups)) + gap
			}
		}
	}
	alt := "Mean absolute error in kPa by group. " + strings.Join(words, "; ") + "."
	return newFigure(name, doubleColumnMM, top+lineMM*float64(len(lines)), st, alt, paint), nil
}

// facetRows breaks the facets into lines of at most 18 groups, which stay legible at the width of the page.
func facetRows(facets []facet) [][]facet {
	const most = 18
	var lines [][]facet
	n := most + 1
	for _, f := range facets {
		if n+len(f.groups) > most {
			lines = append(lines, nil)
			n = 0
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], f)
		n += len(f.groups)
	}
	return lines
}

func facetMarks(f facet, zero bool, bar draw.LineStyle, dot, biasDot draw.GlyphStyle, eachMM float64, counted bool) marks {
	return func(c draw.Canvas, x, y func(float64) vg.Length) {
		if zero {
			c.StrokeLine2(solid(softInk, 0.6), c.Min.X, y(0), c.Max.X, y(0))
		}
		below := func(rowMM float64) vg.Length { return c.Min.Y - mm(rowMM) }
		for i, g := range f.groups {
			middle := x(float64(i) + 0.5)
			left, right := middle-mm(0.16*math.Min(eachMM, 9)), middle+mm(0.16*math.Min(eachMM, 9))
			interval(c, bar, g.Low, g.High, func(v float64) vg.Point { return vg.Point{X: left, Y: y(v)} })
			c.DrawGlyph(dot, vg.Point{X: left, Y: y(g.MAEKPa)})
			if finite(g.BiasKPa) {
				c.DrawGlyph(biasDot, vg.Point{X: right, Y: y(g.BiasKPa)})
			}
			tickPen.writeWithin(c, vg.Point{X: middle, Y: below(3.4)}, baseCentre, g.Group, eachMM-0.6)
			if g.N > 0 {
				notePen.writeWithin(c, vg.Point{X: middle, Y: below(6.6)}, baseCentre, short(g.N), eachMM-0.6)
			}
		}
		row := 7.4
		if counted {
			row += 3.2
		}
		labelPen.writeWithin(c, vg.Point{X: (c.Min.X + c.Max.X) / 2, Y: below(row)}, baseCentre, f.name, math.Max(20, eachMM*float64(len(f.groups))))
	}
}

// short writes a count in at most four figures, as "n 12k".
func short(n int) string {
	switch {
	case n >= 10_000_000:
		return fmt.Sprintf("n %dM", n/1_000_000)
	case n >= 10_000:
		return fmt.Sprintf("n %dk", n/1000)
	}
	return fmt.Sprintf("n %d", n)
}
