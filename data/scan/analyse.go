package scan

import (
	"fmt"
	"image"
	"math"
)

// Options are what the caller knows better than the picture. The zero value
// leaves every decision to the pixels.
type Options struct {
	ScaleMaxKPa float64 // display limit of the bar in kPa; 0: read it from the bar's digits
	MMPerPx     float64 // pixel size; 0: read it from the depth ruler
	Opacity     float64 // of the overlay, 0..1; 0: estimate it
	MaxPixels   int     // largest picture to decode; 0: DefaultMaxPixels

	// Rectangles in the file's pixels; empty ones are looked for.
	OverlayBox image.Rectangle // SWE box in the overlay view, outline included
	PlainView  image.Rectangle // plain B-mode view
	ColourBar  image.Rectangle // strip of colours, largest value at its top or right

	Regions []Region // what the file itself says of its picture; hints, checked against the pixels

	MinConfidence float64 // a decision below it refuses the picture; 0: DefaultMinConfidence
}

// DefaultMinConfidence is where a decision stops being better than asking.
const DefaultMinConfidence = 0.5

// Screen is one exported screen understood: the plain B-mode view cropped, with
// the stiffness that the overlay view shows, pixel on pixel.
type Screen struct {
	Layout Layout

	Height, Width int     // of the crop, px
	MMPerPx       float64 // pixel size, equal in both directions

	BMode      []uint8   // [Height, Width] grey levels; the SWE box's outline is painted over
	SWEKPa     []float32 // [Height, Width] Young's modulus; NaN outside the box and where the overlay shows none
	Saturated  []bool    // [Height, Width] the reading means "this or more"
	Confidence []float32 // [Height, Width] 0..1 of each reading, 0 where there is none

	Box         image.Rectangle // SWE box in the crop, outline included
	ScaleMaxKPa float64         // display limit
	Opacity     float64         // estimated overlay opacity 0..1

	TextureR float64 // correlation of SWEKPa with the B-mode under it; near 0 when un-blended well

	seen *sight
}

// analysis carries one picture through the steps.
type analysis struct {
	*sight
	opt    Options
	layout Layout
}

// Analyse takes a screen apart. It returns a *RefusedError when a decision
// falls below Options.MinConfidence.
func Analyse(img image.Image, opt Options) (*Screen, error) {
	if opt.MinConfidence == 0 {
		opt.MinConfidence = DefaultMinConfidence
	}
	if opt.MaxPixels <= 0 {
		opt.MaxPixels = DefaultMaxPixels
	}
	if err := opt.check(); err != nil {
		return nil, err
	}
	b := img.Bounds()
	if b.Dx() < 64 || b.Dy() < 64 || b.Dx() > opt.MaxPixels/b.Dy() {
		return nil, &RefusedError{
			Reason: fmt.Sprintf("a picture of %d x %d pixels is no scanner screen", b.Dx(), b.Dy()),
			Remedy: "export the whole screen at its own size",
		}
	}
	a := &analysis{sight: newSight(img), opt: opt}
	return a.run()
}

// check refuses values that no picture could have.
func (o Options) check() error {
	for _, v := range []struct {
		name      string
		value, at float64
	}{{"ScaleMaxKPa", o.ScaleMaxKPa, 2000}, {"MMPerPx", o.MMPerPx, 10}, {"Opacity", o.Opacity, 1}, {"MinConfidence", o.MinConfidence, 1}} {
		if math.IsNaN(v.value) || v.value < 0 || v.value > v.at {
			return fmt.Errorf("scan option %s is %g; it must lie between 0 and %g", v.name, v.value, v.at)
		}
	}
	return nil
}

func (a *analysis) refuse(reason, remedy string) error {
	return &RefusedError{Reason: reason, Remedy: remedy, Seen: annotate(a.im, a.layout)}
}

func (a *analysis) run() (*Screen, error) {
	bar, sc, err := a.chooseBar()
	if err != nil {
		return nil, err
	}
	box, view, err := a.chooseOverlay(bar)
	if err != nil {
		return nil, err
	}
	t, err := a.chooseTwin(view, box)
	if err != nil {
		return nil, err
	}
	box, line, err := a.refineBox(box, t)
	if err != nil {
		return nil, err
	}
	view, plain := a.matchViews(view, box, t)
	limit, err := a.chooseScale(sc)
	if err != nil {
		return nil, err
	}
	mm, err := a.chooseSize(view, plain)
	if err != nil {
		return nil, err
	}

	n := a.measureNoise(view, box, t.dx, t.dy)
	sites := a.sites(line.clean().Sub(t.whole()), t.dx, t.dy)
	opacity, residual := a.opt.Opacity, 0.0
	if opacity == 0 {
		for range 2 {
			opacity, residual = fitOpacity(sites, bar.curve, a.grey, n)
			n.acrossGrey = max(n.acrossGrey, residual)
		}
		a.layout.Opacity = opacityFinding(opacity, residual, n)
		if n.lossy() {
			opacity = a.refineOpacity(opacity, sites, line.clean().Dx(), bar.curve, n, view, box, t.whole())
		}
	} else {
		a.layout.Opacity = Finding{Name: "opacity", Value: fmt.Sprintf("%.0f %%", 100*opacity), Confidence: 1, Reason: "given"}
	}
	if a.layout.Opacity.Confidence < a.opt.MinConfidence {
		return nil, a.refuse(fmt.Sprintf("the overlay's colours are not the colour bar's (%.0f levels off)", residual),
			"check that the bar belongs to the overlay; give the bar's place or the opacity (--bar, --opacity)")
	}

	shift := t.whole()
	s := &Screen{Height: plain.Dy(), Width: plain.Dx(), MMPerPx: mm, ScaleMaxKPa: limit, Opacity: opacity,
		Box: box.Add(shift).Sub(plain.Min), seen: a.sight}
	kPa := func(t float64) float64 { return limit * t }
	if sc.unit == "m/s" {
		kPa = func(t float64) float64 { return limit * t * t } // the bar is linear in speed
	}
	b := newBlend(opacity, bar.curve, a.grey, n)
	st := invert(sites, line.clean().Dx(), &b, n, plain.Min.Sub(shift), s.Width, s.Height, kPa)
	st.spread(line.inside().Sub(plain.Min), line.clean().Sub(plain.Min))
	s.SWEKPa, s.Saturated, s.Confidence = st.kPa, st.saturated, st.confidence
	s.BMode = a.crop(plain, line, t, n)
	s.TextureR = texture(s.SWEKPa, s.BMode)
	a.layout.Colours = coloursFinding(st, s.TextureR)
	if a.layout.Colours.Confidence < a.opt.MinConfidence {
		return nil, a.refuse("hardly a pixel of the SWE box carries a colour of the bar",
			"check the picture; give the box or the bar (--box, --bar)")
	}
	s.Layout = a.layout
	return s, nil
}

// refineOpacity replaces the opacity that the colours of a JPEG gave by the one
// that the speckle gives, where that is sure. It needs the colours' brightness
// and so an opacity; a second round moves it by less than 0.2 %.
func (a *analysis) refineOpacity(opacity float64, sites []site, width int, curve []vec, n noise, view, box image.Rectangle, shift image.Point) float64 {
	const (
		sure = 0.01 // standard error up to which speckle knows better
		near = 0.1  // further apart, one of the two is wrong, and colours are what is read
	)
	b := newBlend(opacity, curve, a.grey, n)
	readings := b.read(sites, max(6, 4*n.acrossGrey))
	b.denoise(readings, width, n)
	tint := make([]float64, len(sites))
	for k, r := range readings {
		if tint[k] = math.NaN(); r.shown {
			tint[k] = opacity * brightness(curve[int(r.share*float64(len(curve)-1)+0.5)])
		}
	}
	speckle, standardError := a.contrastOpacity(sites, width, tint, view, box, shift)
	if standardError > sure || math.Abs(speckle-opacity) > near || speckle > 1 {
		return opacity
	}
	f := &a.layout.Opacity
	f.Value = fmt.Sprintf("%.0f %%", 100*speckle)
	f.Reason += fmt.Sprintf("; speckle under the overlay has %.1f ± %.1f %% of the plain view's contrast", 100*(1-speckle), 100*standardError)
	return speckle
}

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
