package scan

import (
	"fmt"
	"image"
	"math"
	"slices"
	"strings"
)

// scale is what is printed at a colour bar.
type scale struct {
	limit   float64 // value at the bar's top, in unit
	unit    string  // "kPa", "m/s" or "" when none was read
	flipped bool    // the numbers grow the other way than assumed
	found   Finding
}

// kPa is the display limit as Young's modulus. A speed c becomes E = 3 rho c^2
// with rho = 1000 kg/m3 (paper facts section 3), which in kPa is 3 c^2 for c in
// m/s.
func (sc scale) kPa() float64 {
	if sc.unit == "m/s" {
		return 3 * sc.limit * sc.limit
	}
	return sc.limit
}

// readScale reads the numbers printed beside and above a bar. Their differences
// fix the scale whatever their common offset from the bar's rows; a number with
// the unit at the bar's end confirms it.
func (s *sight) readScale(b *bar) scale {
	sc := scale{found: Finding{Name: "scale", Reason: "no printed numbers beside the colour bar"}}
	long := int(b.length())
	side, end := max(60, long*6/10), max(28, long/5)
	around := image.Rect(b.rect.Min.X-side, b.rect.Min.Y-end, b.rect.Max.X+side, b.rect.Max.Y+end)
	if !b.vertical {
		around = image.Rect(b.rect.Min.X-end, b.rect.Min.Y-side, b.rect.Max.X+end, b.rect.Max.Y+side)
	}
	// The bar's own print stands close to it; a depth ruler may be near too.
	numbers := slices.DeleteFunc(s.readNumbers(around), func(n number) bool {
		gap := max(n.rect.Min.X-b.rect.Max.X, b.rect.Min.X-n.rect.Max.X)
		if !b.vertical {
			gap = max(n.rect.Min.Y-b.rect.Max.Y, b.rect.Min.Y-n.rect.Max.Y)
		}
		return gap > 3*n.rect.Dy()
	})
	if len(numbers) == 0 {
		return sc
	}
	axis, height := number.centreX, 0.0
	for _, n := range numbers {
		height = max(height, float64(n.rect.Dy()))
	}
	if b.vertical {
		axis = number.centreY
	}

	var texts []string
	for _, n := range numbers {
		if n.unit != "" {
			sc.unit = n.unit
		}
		sc.found.Where = sc.found.Where.Union(n.rect)
		texts = append(texts, strings.TrimSpace(n.text+" "+n.unit))
	}
	read := "printed at the bar: " + strings.Join(texts, ", ")

	// numbers standing along the bar
	var along []number
	lo, hi := min(b.zero, b.top), max(b.zero, b.top)
	for _, n := range numbers {
		if p := axis(n); p > lo-0.6*height && p < hi+0.6*height {
			along = append(along, n)
		}
	}
	fit, fitted := fitRuler(along, axis, 2)
	if fitted {
		sc.flipped = (fit.perPx > 0) != (b.top > b.zero)
		zero := b.zero
		if sc.flipped {
			zero = b.top
		}
		if off := math.Abs(-fit.zero/fit.perPx - zero); off > 1.2*height+3 {
			sc.found.Reason = fmt.Sprintf("%s: these put zero %.0f px off the bar's end; only scales that start at 0 are understood", read, off)
			return sc
		}
	}

	// the limit by itself, printed at or beyond the bar's end
	var limit *number
	for i := range numbers {
		n := &numbers[i]
		if n.value > 0 && (n.unit == "kPa" || n.unit == "m/s") && (limit == nil || n.value > limit.value) {
			limit = n
		}
	}

	const tolerance = 0.03
	worst := 1.0
	switch {
	case fitted && limit != nil && math.Abs(math.Abs(fit.perPx)*b.length()/limit.value-1) <= tolerance:
		for _, n := range fit.used {
			worst = min(worst, n.conf)
		}
		sc.limit = limit.value
		sc.found.Confidence = clamp01(0.75 + 0.05*float64(min(3, len(fit.used))) + 0.1*min(worst, limit.conf))
		sc.found.Reason = fmt.Sprintf("%s; %d of them stand %.3f per px along the bar, which makes its end %.1f, as printed",
			read, len(fit.used), math.Abs(fit.perPx), math.Abs(fit.perPx)*b.length())
	case fitted && len(fit.used) >= 3:
		// no printed limit: the nearest number that a scale would have
		v := math.Abs(fit.perPx) * b.length()
		step := 5.0
		if v < 12 {
			step = 0.1
		}
		sc.limit = math.Round(v/step) * step
		sc.found.Confidence = clamp01(0.7 - math.Abs(v/sc.limit-1)/tolerance*0.4)
		if sc.unit == "" {
			sc.found.Confidence *= 0.6
		}
		if limit != nil { // two readings that contradict each other
			sc.found.Confidence *= 0.5
			read += fmt.Sprintf(" (the printed limit %s contradicts)", limit.text)
		}
		sc.found.Reason = fmt.Sprintf("%s; %d of them make the bar's end %.1f", read, len(fit.used), v)
	case limit != nil:
		sc.limit = limit.value
		sc.found.Confidence = 0.45 * limit.conf
		sc.found.Reason = read + "; nothing else along the bar confirms it"
	default:
		sc.found.Reason = read + "; too few to make a scale"
		return sc
	}
	if sc.unit == "" {
		sc.found.Reason += "; no unit was read"
	}
	sc.found.Value = fmt.Sprintf("0 to %g %s", sc.limit, sc.unit)
	return sc
}
