package scan

import (
	"fmt"
	"image"
	"math"
)

// chooseBar takes the given or the best colour bar, and what is printed at it.
func (a *analysis) chooseBar() (*bar, scale, error) {
	var bars []*bar
	given := !a.opt.ColourBar.Empty()
	if given {
		if a.opt.ColourBar.In(a.bounds()) {
			if b := a.measureBar(a.opt.ColourBar); b != nil {
				b.conf, b.reason = 1, "given"
				bars = append(bars, b)
			}
		}
	} else {
		bars = a.findBars()
	}
	if len(bars) == 0 {
		a.layout.ColourBar = Finding{Name: "colour bar", Reason: "no narrow strip walks through the hues of a stiffness map"}
		return nil, scale{}, a.refuse("no stiffness colour bar, so no SWE to read",
			"export a screen that shows the kPa colour bar, or give its place (--bar)")
	}
	// A screen may carry another map's bar too: the one with numbers wins.
	// What the file itself calls a colour bar counts as much as print.
	weight := func(b *bar, sc scale) float64 {
		w := 0.5 + sc.found.Confidence
		if a.opt.barRegion(b.rect) {
			w++
		}
		return w * b.conf
	}
	best, sc := bars[0], a.readScale(bars[0])
	for _, b := range bars[1:min(len(bars), 6)] {
		if other := a.readScale(b); weight(b, other) > weight(best, sc) {
			best, sc = b, other
		}
	}
	if sc.flipped && sc.found.Confidence >= a.opt.MinConfidence {
		best.flip()
	}
	a.layout.ColourBar = Finding{Name: "colour bar", Where: best.rect, Confidence: best.conf, Reason: best.reason}
	a.layout.GreyBar = a.findGreyBar(best)
	a.layout.Scale = sc.found
	if best.conf < a.opt.MinConfidence {
		return nil, sc, a.refuse("what looks like a colour bar is not sure enough to be one",
			"export the screen without scaling or heavy compression, or give the bar's place (--bar)")
	}
	return best, sc, nil
}

// chooseOverlay takes the given or the largest coloured area as SWE box, and
// grows the view around it.
func (a *analysis) chooseOverlay(b *bar) (box, view image.Rectangle, err error) {
	f := Finding{Name: "overlay box"}
	if box = a.opt.OverlayBox; !box.Empty() {
		if !box.In(a.bounds()) || box.Dx() < 8 || box.Dy() < 8 {
			return box, view, fmt.Errorf("scan option OverlayBox %v does not lie in the picture of %d x %d pixels", box, a.w, a.h)
		}
		f.Where, f.Confidence, f.Reason = box, 1, "given"
	} else {
		areas := a.findOverlays(b.rect)
		if len(areas) == 0 {
			f.Reason = "no dense coloured area besides the colour bar"
			a.layout.OverlayBox = f
			return box, view, a.refuse("no SWE overlay in the picture", "export a screen with the overlay shown, or give the SWE box (--box)")
		}
		box = areas[0].rect
		filled := float64(areas[0].area) / float64(box.Dx()*box.Dy())
		f.Where = box
		f.Confidence = clamp01(filled+0.2) * 0.9
		f.Reason = fmt.Sprintf("largest coloured area, filled to %.0f %%", 100*min(1, filled))
		if len(areas) > 1 && 2*areas[1].area > areas[0].area {
			f.Confidence *= 0.5
			f.Reason += ", but another one is nearly as large"
		}
	}
	a.layout.OverlayBox = f
	view = a.growView(box)
	a.layout.OverlayView = Finding{Name: "overlay view", Where: view, Confidence: viewConfidence(view, box), Reason: "lit area around the SWE box"}
	if f.Confidence < a.opt.MinConfidence {
		return box, view, a.refuse("the SWE box is not clear", "give the SWE box (--box)")
	}
	return box, view, nil
}

// viewConfidence doubts a view that is hardly larger than the box.
func viewConfidence(view, box image.Rectangle) float64 {
	return clamp01(0.4 + float64(view.Dx()*view.Dy())/float64(box.Dx()*box.Dy())/3)
}

// chooseTwin finds the plain view.
func (a *analysis) chooseTwin(view, box image.Rectangle) (twin, error) {
	t := a.findTwin(view, box)
	a.layout.Twin = Finding{
		Name:       "twin view",
		Value:      fmt.Sprintf("shifted by %.1f, %.1f px", t.dx, t.dy),
		Confidence: clamp01((t.corr-0.3)/0.4) * clamp01((t.corr-t.rival)/0.15),
		Reason:     fmt.Sprintf("fine structure around the box correlates %.2f with its copy, %.2f with the next best place", t.corr, t.rival),
	}
	if a.layout.Twin.Confidence < a.opt.MinConfidence {
		if !a.layout.Twin.Found() {
			a.layout.Twin.Value = ""
		}
		return t, a.refuse("no plain B-mode view beside the overlay view, so the grey under the overlay is unknown",
			"export the dual (twin) view of the same frame")
	}
	a.layout.Shift = [2]float64{t.dx, t.dy}
	return t, nil
}

// whole is the shift rounded to pixels.
func (t twin) whole() image.Point {
	return image.Pt(int(math.Round(t.dx)), int(math.Round(t.dy)))
}

// refineBox moves the box's sides onto the outline that the plain view shows.
func (a *analysis) refineBox(box image.Rectangle, t twin) (image.Rectangle, outline, error) {
	shift := t.whole()
	line := a.findOutline(box.Add(shift), shift)
	f := &a.layout.OverlayBox
	if f.Reason == "given" && line.box != box.Add(shift) {
		line = outline{box: box.Add(shift)} // the user's box stands, even against a line
	}
	if f.Reason != "given" && line.sides() > 0 {
		box = line.box.Sub(shift)
		f.Where = box
		f.Confidence = min(1, f.Confidence+0.05*float64(line.sides()))
		f.Reason += fmt.Sprintf("; its outline is seen on %d sides in the plain view", line.sides())
	}
	a.layout.PlainBox = Finding{Name: "plain box", Where: box.Add(shift), Confidence: f.Confidence, Reason: "the overlay box, shifted"}
	if !box.In(a.bounds()) || !box.Add(shift).In(a.bounds()) || line.clean().Dx() < 8 || line.clean().Dy() < 8 {
		return box, line, a.refuse("the SWE box is not whole in both views", "export both views whole, or give the SWE box (--box)")
	}
	return box, line, nil
}

// matchViews makes the two views the same rectangle, what both of them show.
func (a *analysis) matchViews(view, box image.Rectangle, t twin) (overlay, plain image.Rectangle) {
	shift := t.whole()
	f := Finding{Name: "plain view", Reason: "lit area around the shifted box, common to both views"}
	if plain = a.opt.PlainView; !plain.Empty() {
		f.Reason, f.Confidence = "given", 1
	} else {
		plain = a.growView(box.Add(shift)).Intersect(view.Add(shift))
		// views that touch grow into each other: cut them at the shift
		if d := abs(shift.X); d >= box.Dx() && plain.Dx() > d {
			plain.Min.X, plain.Max.X = cut(plain.Min.X, plain.Max.X, d, shift.X > 0)
		}
		if d := abs(shift.Y); d >= box.Dy() && plain.Dy() > d {
			plain.Min.Y, plain.Max.Y = cut(plain.Min.Y, plain.Max.Y, d, shift.Y > 0)
		}
		f.Confidence = viewConfidence(plain, box)
	}
	plain = plain.Union(box.Add(shift)).Intersect(a.bounds()).Intersect(a.bounds().Add(shift))
	overlay = plain.Sub(shift)
	f.Where = plain
	a.layout.PlainView = f
	a.layout.OverlayView.Where = overlay
	return overlay, plain
}

// cut keeps d pixels of a span, those at its end or at its beginning.
func cut(lo, hi, d int, end bool) (int, int) {
	if end {
		return hi - d, hi
	}
	return lo, lo + d
}

// chooseScale settles the display limit: given, or printed and sure.
func (a *analysis) chooseScale(sc scale) (float64, error) {
	given := a.opt.ScaleMaxKPa
	read := sc.found
	if given > 0 {
		f := Finding{Name: "scale", Where: read.Where, Value: fmt.Sprintf("0 to %g kPa", given), Confidence: 1, Reason: "given"}
		switch {
		case !read.Found():
			f.Reason += "; the bar's own print was not read: " + read.Reason
		case math.Abs(sc.kPa()-given) > 0.01*given:
			f.Reason += fmt.Sprintf("; DISAGREES with the bar, read as %s (confidence %.2f: %s)", read.Value, read.Confidence, read.Reason)
		default:
			f.Reason += fmt.Sprintf("; agrees with the bar (confidence %.2f: %s)", read.Confidence, read.Reason)
		}
		a.layout.Scale = f
		return given, nil
	}
	if read.Confidence < a.opt.MinConfidence {
		return 0, a.refuse("the scale printed at the colour bar is not read with confidence ("+read.Reason+")",
			"give the bar's largest value in kPa with --scale-max")
	}
	if sc.unit != "kPa" && sc.unit != "m/s" {
		return 0, a.refuse("the colour bar's unit is not read as kPa or m/s", "give the bar's largest value in kPa with --scale-max")
	}
	return sc.kPa(), nil
}

// chooseSize settles the pixel size: given, or from the ruler of either view.
func (a *analysis) chooseSize(overlay, plain image.Rectangle) (float64, error) {
	f, mm := a.findRuler(plain)
	if g, other := a.findRuler(overlay); g.Confidence > f.Confidence {
		f, mm = g, other
	}
	if stated, where := a.opt.regionSize(plain); stated > 0 {
		f, mm = sizeFromRegion(stated, where, f, mm, a.opt.MinConfidence), stated
	}
	if given := a.opt.MMPerPx; given > 0 {
		reason := "given"
		if f.Found() {
			reason += fmt.Sprintf("; the ruler says %.4f mm per px (confidence %.2f: %s)", mm, f.Confidence, f.Reason)
		}
		f = Finding{Name: "depth ticks", Where: f.Where, Value: fmt.Sprintf("%.4f mm per px", given), Confidence: 1, Reason: reason}
		mm = given
	}
	a.layout.Ticks = f
	if f.Confidence < a.opt.MinConfidence {
		return 0, a.refuse("the physical size of a pixel is unknown ("+f.Reason+")",
			"give it in mm with --mm-per-px")
	}
	return mm, nil
}

func coloursFinding(st stiffness, r float64) Finding {
	return Finding{
		Name:       "colours",
		Value:      fmt.Sprintf("%.0f %% of the box read", 100*st.share),
		Confidence: clamp01(st.share * 5),
		Reason:     fmt.Sprintf("correlation of the stiffness with the B-mode under it %.2f", r),
	}
}
