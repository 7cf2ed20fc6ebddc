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
	st := a.invert(sites, line.clean().Dx(), &b, n, plain.Min.Sub(shift), s.Width, s.Height, kPa)
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
	if standardError > sure || math.Abs(speckle-opacity) > near {
		return opacity
	}
	speckle = min(speckle, 1) // noise may say a little more
	f := &a.layout.Opacity
	f.Value = fmt.Sprintf("%.0f %%", 100*speckle)
	f.Reason += fmt.Sprintf("; speckle under the overlay has %.1f ± %.1f %% of the plain view's contrast", 100*(1-speckle), 100*standardError)
	return speckle
}
