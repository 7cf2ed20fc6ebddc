package scan

import (
	"fmt"
	"image"
	"math"
)

// comb is a row of equally spaced ticks.
type comb struct {
	period float64 // px
	first  float64 // px, pixel edges
	count  int
	where  image.Rectangle
}

// findRuler measures the pixel size from the depth ruler beside a view: ticks
// give the pitch, printed numbers give the unit. Ticks without numbers are
// reported but have no confidence, since nothing tells 5 mm from 10.
func (s *sight) findRuler(view image.Rectangle) (Finding, float64) {
	f := Finding{Name: "depth ticks", Reason: "no regular ticks or printed depths beside the view"}
	reach := max(48, view.Dx()/5)
	var mmPerPx float64
	for _, strip := range []image.Rectangle{
		image.Rect(view.Max.X, view.Min.Y-12, view.Max.X+reach, view.Max.Y+12),
		image.Rect(view.Min.X-reach, view.Min.Y-12, view.Min.X, view.Max.Y+12),
	} {
		strip = strip.Intersect(s.bounds())
		if strip.Dx() < 2 {
			continue
		}
		if g, mm := s.readRuler(strip, view); g.Confidence > f.Confidence || f.Where.Empty() && !g.Where.Empty() {
			f, mmPerPx = g, mm
		}
	}
	return f, mmPerPx
}

// readRuler judges the strip on one side of the view.
func (s *sight) readRuler(strip, view image.Rectangle) (Finding, float64) {
	f := Finding{Name: "depth ticks", Reason: "no regular ticks or printed depths beside the view"}
	ticks, regular := s.findComb(strip, view)
	labels, labelled := fitRuler(s.readNumbers(strip), number.centreY, 2)
	if labelled && labels.perPx <= 0 { // depth grows downwards
		labelled = false
	}
	if regular {
		f.Where = ticks.where
		f.Reason = fmt.Sprintf("%d ticks %.2f px apart, but no printed depths to tell their unit", ticks.count, ticks.period)
	}
	if !labelled {
		return f, 0
	}

	conf := 0.35 + 0.15*float64(min(3, len(labels.used))) // 0.65 with two, 0.8 with three
	perUnit := 1 / labels.perPx                           // px
	var values []string
	worst := 1.0
	for _, n := range labels.used {
		f.Where = f.Where.Union(n.rect)
		values = append(values, n.text)
		worst = min(worst, n.conf)
	}
	conf *= 0.6 + 0.4*worst
	f.Reason = fmt.Sprintf("printed depths %v", values)
	if regular {
		// ticks stand at whole fractions or multiples of the printed unit
		ratio := perUnit / ticks.period
		if whole, ok := nearSimple(ratio); ok {
			perUnit = whole * ticks.period
			conf = min(1, conf+0.18)
			f.Reason += fmt.Sprintf(" and %d ticks %.2f px apart agree", ticks.count, ticks.period)
		} else {
			conf *= 0.6
			f.Reason += fmt.Sprintf(", but %d ticks %.2f px apart do not fit them", ticks.count, ticks.period)
		}
	}

	mm, unit := 10/perUnit, "cm"
	if u := labels.used[0].unit; u == "mm" || u == "" && !plausibleDepth(mm*float64(view.Dy())) {
		mm, unit = 1/perUnit, "mm"
	}
	if depth := mm * float64(view.Dy()); !plausibleDepth(depth) {
		f.Reason = fmt.Sprintf("%s, which would make the view %.1f mm deep", f.Reason, depth)
		return f, 0
	}
	f.Reason += fmt.Sprintf("; read as %s, which makes the view %.0f mm deep", unit, mm*float64(view.Dy()))
	f.Value = fmt.Sprintf("%.2f px per cm, %.4f mm per px", 10/mm, mm)
	f.Confidence = clamp01(conf)
	return f, mm
}

// plausibleDepth: an ultrasound view is between 8 mm (a skin probe) and 35 cm.
func plausibleDepth(mm float64) bool { return mm >= 8 && mm <= 350 }

// nearSimple recognises the ratios of a printed unit to its ticks.
func nearSimple(ratio float64) (float64, bool) {
	for _, r := range []float64{0.1, 0.2, 0.5, 1, 2, 4, 5, 10} {
		if math.Abs(ratio-r) < 0.03*r {
			return r, true
		}
	}
	return 0, false
}

// findComb looks for ticks: short bright bars, one or two pixels high, at equal
// distances, in a column of the strip close to the view.
func (s *sight) findComb(strip, view image.Rectangle) (comb, bool) {
	var best comb
	for x := strip.Min.X; x < strip.Max.X; x++ {
		if x-view.Max.X > 24 || view.Min.X-x > 24 { // ticks touch or nearly touch the view
			continue
		}
		c, ok := fitComb(s.peaks(x, strip.Min.Y, strip.Max.Y))
		if ok && c.count > best.count {
			best = c
			y := int(c.first)
			best.where = image.Rect(x, y, x+1, y+int(c.period*float64(c.count-1))+1)
		}
	}
	return best, best.count >= 3
}

// peaks lists the thin bright rows of a column, as sub-pixel centres in pixel
// edges.
func (s *sight) peaks(x, y0, y1 int) []float64 {
	at := func(y int) float64 {
		if y < 0 || y >= s.h {
			return s.back
		}
		return float64(s.luma[y*s.w+x])
	}
	var out []float64
	for y := y0; y < y1; y++ {
		v := at(y)
		if v <= at(y-1) || v < at(y+1) || v-max(at(y-3), at(y+3)) < 40 {
			continue
		}
		var sum, weight float64
		for d := -2; d <= 2; d++ {
			w := max(0, at(y+d)-s.back)
			sum, weight = sum+w*(float64(y+d)+0.5), weight+w
		}
		out = append(out, sum/weight)
	}
	return out
}

// fitComb accepts peaks that stand at equal distances with none missing in
// between; a stray peak or two is passed over.
func fitComb(peaks []float64) (comb, bool) {
	if len(peaks) < 3 || len(peaks) > 100 {
		return comb{}, false
	}
	var steps []float64
	for i := 1; i < len(peaks); i++ {
		steps = append(steps, peaks[i]-peaks[i-1])
	}
	var best comb
	for _, p := range steps {
		if p < 4 {
			continue
		}
		for _, start := range peaks {
			// walk the comb from this peak, re-fitting as it grows
			k, at := 0, start
			for _, q := range peaks {
				if math.Abs(q-(at+p)) < 0.12*min(p, 10) {
					k, at = k+1, q
				}
			}
			if k+1 > best.count {
				best = comb{period: (at - start) / float64(max(1, k)), first: start, count: k + 1}
			}
		}
	}
	if best.count < 3 || 3*best.count < 2*len(peaks) {
		return comb{}, false
	}
	return best, true
}
