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

// ErrorSample holds the errors of a test set at each level.
type ErrorSample struct {
	PixelErrorKPa []float32          // sSWE − SWE of each valid pixel; NaN is left out
	PlaneMAEKPa   []float64          // mean absolute error of each plane
	PlanePatient  []string           // the patient of each plane
	Baselines     map[string]float64 // mean absolute error of trivial predictions, kPa, by name; optional
}

func (e ErrorSample) validate() error {
	usable := 0
	for _, v := range e.PixelErrorKPa {
		if finite(float64(v)) {
			usable++
		}
	}
	switch {
	case usable == 0:
		return errors.New("e.PixelErrorKPa: no finite error given")
	case len(e.PlaneMAEKPa) == 0:
		return errors.New("e.PlaneMAEKPa: no plane given")
	case len(e.PlanePatient) != len(e.PlaneMAEKPa):
		return fmt.Errorf("e.PlanePatient: %d names for %d planes", len(e.PlanePatient), len(e.PlaneMAEKPa))
	}
	for i, v := range e.PlaneMAEKPa {
		if !finite(v) || v < 0 {
			return fmt.Errorf("e.PlaneMAEKPa[%d] is %v: leave out planes without an error", i, v)
		}
	}
	for name, v := range e.Baselines {
		if !finite(v) {
			return fmt.Errorf("e.Baselines[%q] is %v", name, v)
		}
	}
	return nil
}

// ErrorDistribution draws (a) the histogram of pixel errors and (b) the mean absolute error of each plane by patient, with the box of all planes and
// the lines of the baselines.
func ErrorDistribution(e ErrorSample, st Style) (*Figure, error) {
	const name = "ErrorDistribution"
	if err := st.validate(); err != nil {
		return nil, refuse(name, err)
	}
	if err := e.validate(); err != nil {
		return nil, refuse(name, err)
	}
	patients := byPatient(e)
	h := binErrors(e.PixelErrorKPa)
	all := slices.Clone(e.PlaneMAEKPa)
	slices.Sort(all)

	const top, height = 7.0, 50.0
	paint := func(p page) {
		p.write(titlePen, 1, 3.6, baseLeft, "a")
		p.write(labelPen, 12, 3.6, baseLeft, "Pixels")
		p.write(titlePen, 73, 3.6, baseLeft, "b")
		ring, bar := planeGlyph(len(patients)), solid(blue, 1.6)
		p.legend(84, 2.7, 96, []entry{{text: "plane", glyph: &ring}, {text: "patient's mean", line: &bar}, {text: "median, quartiles and range", glyph: &draw.GlyphStyle{Color: ink, Radius: 2.4, Shape: draw.SquareGlyph{}}}})
		p.errorHistogram(h, p.rect(12, top, 55, height))
		p.patientStrip(e, patients, all, p.rect(84, top, 72, height))
	}
	alt := fmt.Sprintf("Left, histogram of %s pixel errors. Right, mean absolute error of %d planes of %d patients: median %s kPa, from %s to %s kPa.%s",
		count(h.n), len(all), len(patients), number(at(all, 0.5), 1), number(all[0], 1), number(all[len(all)-1], 1), baselineWords(e.Baselines))
	return newFigure(name, doubleColumnMM, top+height+namesMM+4, st, alt, paint), nil
}

// errorBins is a histogram of equal bins from −limit to limit; what lies beyond is counted apart.
type errorBins struct {
	limit, width float64
	share        []float64 // of all pixels
	beyond       float64   // share of all pixels
	n            int
}

func binErrors(errs []float32) errorBins {
	limit := roundUp(math.Max(1, quantile(0.995, Map{Values: errs})))
	const bins = 60
	h := errorBins{limit: limit, width: 2 * limit / bins, share: make([]float64, bins)}
	outside := 0
	for _, v := range errs {
		if !finite(float64(v)) {
			continue
		}
		h.n++
		k := int(math.Floor((float64(v) + limit) / h.width))
		if k < 0 || k >= bins {
			outside++
			continue
		}
		h.share[k]++
	}
	for k := range h.share {
		h.share[k] /= float64(h.n)
	}
	h.beyond = float64(outside) / float64(h.n)
	return h
}

func (p page) errorHistogram(h errorBins, area vg.Rectangle) {
	axes := newAxes("Error, sSWE − SWE (kPa)", "Share of pixels (%)")
	axes.X.Min, axes.X.Max = -h.limit, h.limit
	axes.Y.Min, axes.Y.Max = 0, axisEnd(102*slices.Max(h.share), 5)
	axes.X.Tick.Marker, axes.Y.Tick.Marker = steps{6}, steps{5}
	axes.Add(grid{y: true}, marks(func(c draw.Canvas, x, y func(float64) vg.Length) {
		// One outline for all bars: no seams between them in any renderer.
		shape := []vg.Point{{X: x(-h.limit), Y: y(0)}}
		for k, share := range h.share {
			left := -h.limit + float64(k)*h.width
			shape = append(shape, vg.Point{X: x(left), Y: y(100 * share)}, vg.Point{X: x(left + h.width), Y: y(100 * share)})
		}
		shape = append(shape, vg.Point{X: x(h.limit), Y: y(0)})
		c.FillPolygon(sky, shape)
		c.StrokeLines(solid(blue, 0.6), shape)
		c.StrokeLine2(dashed(ink, 0.6, 2, 1.5), x(0), c.Min.Y, x(0), c.Max.Y)
		corner := vg.Point{X: c.Max.X - 2, Y: c.Max.Y - 3}
		notePen.write(c, corner, anchor{1, 1}, count(h.n)+" pixels")
		if h.beyond > 0 {
			corner.Y -= 9
			notePen.write(c, corner, anchor{1, 1}, fmt.Sprintf("%s beyond ±%s kPa", percentWords(h.beyond), number(h.limit, 0)))
		}
	}))
	p.place(axes, area)
}

type patientErrors struct {
	name   string
	planes []float64 // kPa
	mean   float64   // of the planes drawn
}

// byPatient groups planes, the best patient first.
func byPatient(e ErrorSample) []patientErrors {
	index := map[string]int{}
	var groups []patientErrors
	for i, name := range e.PlanePatient {
		k, seen := index[name]
		if !seen {
			k = len(groups)
			index[name] = k
			groups = append(groups, patientErrors{name: name})
		}
		groups[k].planes = append(groups[k].planes, e.PlaneMAEKPa[i])
	}
	for k := range groups {
		for _, v := range groups[k].planes {
			groups[k].mean += v / float64(len(groups[k].planes))
		}
	}
	slices.SortStableFunc(groups, func(a, b patientErrors) int {
		if a.mean != b.mean {
			if a.mean < b.mean {
				return -1
			}
			return 1
		}
		return strings.Compare(a.name, b.name)
	})
	return groups
}

func (p page) patientStrip(e ErrorSample, patients []patientErrors, sorted []float64, area vg.Rectangle) {
	n := len(patients)
	top := sorted[len(sorted)-1]
	for _, v := range e.Baselines {
		top = math.Max(top, v)
	}
	axes := newAxes("", "Mean absolute error (kPa)")
	all := allSlots(n)
	axes.X.Min, axes.X.Max = 0, float64(n)+all
	axes.Y.Min, axes.Y.Max = 0, axisEnd(1.03*top, 5)
	axes.Y.Tick.Marker = steps{5}
	axes.X.Tick.Marker = plot.ConstantTicks(nil)
	axes.Add(grid{y: true}, marks(func(c draw.Canvas, x, y func(float64) vg.Length) {
		type named struct {
			name string
			v    float64
		}
		var lines []named
		for name, v := range e.Baselines {
			lines = append(lines, named{name, v})
		}
		slices.SortFunc(lines, func(a, b named) int {
			if a.v != b.v {
				if a.v > b.v {
					return -1
				}
				return 1
			}
			return strings.Compare(a.name, b.name)
		})
		var heights []vg.Length
		for _, l := range lines {
			heights = append(heights, y(l.v))
		}
		for i, at := range spreadOut(heights, 8) {
			sty := dashed(softInk, 0.7, dashing[1+i%3]...)
			c.StrokeLine2(sty, c.Min.X, y(lines[i].v), c.Max.X, y(lines[i].v))
			c.StrokeLine2(solid(softInk, 0.4), c.Max.X, y(lines[i].v), c.Max.X+4, at)
			notePen.write(c, vg.Point{X: c.Max.X + 5, Y: at}, middleLeft, fmt.Sprintf("%s %s", lines[i].name, number(lines[i].v, 1)))
		}
		glyph := planeGlyph(n)
		for k, group := range patients {
			middle := float64(k) + 0.5
			c.StrokeLine2(solid(blue, 1.6), x(middle-0.32), y(group.mean), x(middle+0.32), y(group.mean))
			for _, v := range group.planes {
				c.DrawGlyph(glyph, vg.Point{X: x(middle), Y: y(v)})
			}
		}
		c.StrokeLine2(solid(gridInk, 0.6), x(float64(n)), c.Min.Y, x(float64(n)), c.Max.Y)
		namePatients(c, patients, x)
		box(c, x(float64(n)+all/2), (x(all)-x(0))*0.28, y, sorted)
	}))
	p.place(axes, area)
}

// allSlots is the room of the box of all planes, in patients.
func allSlots(patients int) float64 { return math.Max(2, 0.14*float64(patients)) }

func planeGlyph(patients int) draw.GlyphStyle {
	radius := math.Min(1.8, math.Max(0.9, 40/float64(patients)))
	return draw.GlyphStyle{Color: blue, Radius: vg.Length(radius), Shape: draw.RingGlyph{}}
}

// namePatients writes the patients' names under their places, upwards where they are too long to lie, and not at all where they are too many.
func namePatients(c draw.Canvas, patients []patientErrors, x func(float64) vg.Length) {
	slotMM := float64((x(1)-x(0))/vg.Millimeter) - 0.6
	longest := 0.0
	for _, g := range patients {
		longest = math.Max(longest, tickPen.widthMM(g.name))
	}
	upright, named := longest > slotMM, slotMM > 2
	if named {
		for k, g := range patients {
			at := vg.Point{X: x(float64(k) + 0.5), Y: c.Min.Y - mm(1.2)}
			if !upright {
				tickPen.write(c, at, topCentre, g.name)
				continue
			}
			t, name := tickPen.within(namesMM-1.5, g.name)
			c.Push()
			c.Translate(at)
			c.Rotate(math.Pi / 2)
			t.write(c, vg.Point{}, middleRight, name)
			c.Pop()
		}
	}
	n := float64(len(patients))
	tickPen.write(c, vg.Point{X: x(n + allSlots(len(patients))/2), Y: c.Min.Y - mm(1.2)}, topCentre, "all")
	down := namesMM
	if !named || !upright {
		down = 5
	}
	labelPen.write(c, vg.Point{X: x(n / 2), Y: c.Min.Y - mm(down)}, topCentre, fmt.Sprintf("%d patients, in order of error", len(patients)))
}

// namesMM is the room of the patients' names.
const namesMM = 8.5

// box draws median, quartiles and whole range of sorted values.
func box(c draw.Canvas, middle, half vg.Length, y func(float64) vg.Length, sorted []float64) {
	line := solid(ink, 0.8)
	low, high := y(at(sorted, 0.25)), y(at(sorted, 0.75))
	frame := vg.Rectangle{Min: vg.Point{X: middle - half, Y: low}, Max: vg.Point{X: middle + half, Y: high}}
	c.SetColor(white)
	c.Fill(frame.Path())
	c.SetLineStyle(line)
	c.Stroke(frame.Path())
	median := y(at(sorted, 0.5))
	c.StrokeLine2(solid(ink, 1.4), middle-half, median, middle+half, median)
	c.StrokeLine2(line, middle, low, middle, y(sorted[0]))
	c.StrokeLine2(line, middle, high, middle, y(sorted[len(sorted)-1]))
}

// at interpolates the quantile q of sorted values.
func at(sorted []float64, q float64) float64 {
	position := q * float64(len(sorted)-1)
	k := int(position)
	if k+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[k] + (position-float64(k))*(sorted[k+1]-sorted[k])
}

// spreadOut moves labels, given from the highest down, so far apart that they do not overlap.
func spreadOut(heights []vg.Length, least vg.Length) []vg.Length {
	out := slices.Clone(heights)
	for range 50 {
		moved := false
		for i := 1; i < len(out); i++ {
			if gap := out[i-1] - out[i]; gap < least-0.01 {
				shift := (least - gap) / 2
				out[i-1] += shift
				out[i] -= shift
				moved = true
			}
		}
		if !moved {
			break
		}
	}
	return out
}

func baselineWords(baselines map[string]float64) string {
	var names []string
	for name := range baselines {
		names = append(names, name)
	}
	slices.Sort(names)
	words := ""
	for i, name := range names {
		words += fmt.Sprintf("%s %s %s kPa", map[bool]string{true: " Baselines:", false: ","}[i == 0], name, number(baselines[name], 1))
	}
	if words != "" {
		words += "."
	}
	return words
}
