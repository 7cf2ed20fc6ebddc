package plots

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// PanelRow is one imaging plane of the panels figure. All maps lie on the grid of the B-mode picture.
type PanelRow struct {
	Title     string // patient, plane and why it is shown
	BMode     Gray
	SWE, SSWE Map     // kPa: measured by the scanner, and synthesized from the B-mode picture
	Sigma     *Map    // kPa, one standard deviation of the prediction; optional, but for all rows or for none
	Labels    []uint8 // histopathology [Height × Width]: 0 outside, 1 PZ, 2 TZ, 3 CZ, 4 AFMS, 5 urethra, 10 and above a tumour focus; optional
	Note      string  // such as the plane's error or a warning
}

func (r PanelRow) validate() error {
	if err := r.BMode.validate(); err != nil {
		return fmt.Errorf("BMode: %w", err)
	}
	named := []struct {
		name string
		m    *Map
	}{{"SWE", &r.SWE}, {"SSWE", &r.SSWE}, {"Sigma", r.Sigma}}
	for _, f := range named {
		if f.m == nil {
			continue
		}
		if err := f.m.validate(); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if err := sameGrid(r.BMode.Height, r.BMode.Width, r.BMode.MMPerPx, f.m.Height, f.m.Width, f.m.MMPerPx); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	if n := r.BMode.Height * r.BMode.Width; len(r.Labels) != 0 && len(r.Labels) != n {
		return fmt.Errorf("Labels: %d values for a grid of %d × %d = %d pixels", len(r.Labels), r.BMode.Height, r.BMode.Width, n)
	}
	return nil
}

// Panels draws a row a plane: B-mode | SWE | sSWE | sSWE − SWE [| uncertainty], on axes of mm with equal aspect, with the outlines of gland and tumours
// from histopathology. All rows share the scale in mm and the colour scales. Pixels without a value are neutral grey.
func Panels(rows []PanelRow, st Style) (*Figure, error) {
	const name = "Panels"
	if err := st.validate(); err != nil {
		return nil, refuse(name, err)
	}
	if len(rows) == 0 {
		return nil, refuse(name, errors.New("rows: no plane given"))
	}
	withSigma := rows[0].Sigma != nil
	outlined := false
	for i, r := range rows {
		if err := r.validate(); err != nil {
			return nil, refuse(name, fmt.Errorf("rows[%d].%w", i, err))
		}
		if (r.Sigma != nil) != withSigma {
			return nil, refuse(name, fmt.Errorf("rows[%d].Sigma: give the uncertainty of all rows or of none", i))
		}
		outlined = outlined || len(r.Labels) > 0
	}

	var elasticity, errs, sigmas []Map
	for _, r := range rows {
		elasticity = append(elasticity, r.SWE, r.SSWE)
		errs = append(errs, difference(r.SSWE, r.SWE))
		if withSigma {
			sigmas = append(sigmas, *r.Sigma)
		}
	}
	kpa, err := elasticityScale(st, elasticity...)
	if err != nil {
		return nil, refuse(name, err)
	}
	diverging, err := colormapNamed("diverging")
	if err != nil {
		return nil, refuse(name, err)
	}
	most := roundUp(math.Max(quantile(0.998, errs...), 1))
	deviation := scale{cmap: diverging, lo: -most, hi: most, label: "sSWE − SWE (kPa)"}
	deviation.clips(errs...)
	columns := []string{"B-mode", "SWE, measured", "sSWE, from B-mode", "Error, sSWE − SWE"}
	var spread scale
	if withSigma {
		columns = append(columns, "Uncertainty")
		inferno, err := colormapNamed("inferno")
		if err != nil {
			return nil, refuse(name, err)
		}
		spread = scale{cmap: inferno, hi: roundUp(math.Max(quantile(0.998, sigmas...), 0.5)), label: "Standard deviation (kPa)"}
		spread.clips(sigmas...)
	}

	g := panelGrid(rows, len(columns))
	paint := func(p page) {
		for k, title := range columns {
			p.writeWithin(titlePen, g.x(k)+g.columnMM/2, 3.6, baseCentre, title, g.columnMM+g.columnGap-1)
		}
		y := g.headMM
		for i, r := range rows {
			width, height := r.BMode.widthMM()*g.paperPerMM, r.BMode.heightMM()*g.paperPerMM
			inset := (g.columnMM - width) / 2
			left, right := g.x(0)+inset, g.x(len(columns)-1)+g.columnMM-inset
			note, words := notePen.within((right-left)/2, r.Note)
			p.write(note, right, y+2.9, baseRight, words)
			p.writeWithin(pen{tickSize, true, ink}, left, y+2.9, baseLeft, r.Title, right-left-note.widthMM(words)-3)
			y += g.rowTitleMM
			t := tile{widthMM: r.BMode.widthMM(), heightMM: r.BMode.heightMM(), rows: r.BMode.Height, cols: r.BMode.Width}
			if len(r.Labels) > 0 {
				t.outline = r.Labels
			}
			for k := range columns {
				switch k {
				case 0:
					t.picture = r.BMode.picture()
				case 1:
					t.picture = r.SWE.picture(kpa.cmap, kpa.lo, kpa.hi)
				case 2:
					t.picture = r.SSWE.picture(kpa.cmap, kpa.lo, kpa.hi)
				case 3:
					t.picture = errs[i].picture(deviation.cmap, deviation.lo, deviation.hi)
				case 4:
					t.picture = r.Sigma.picture(spread.cmap, spread.lo, spread.hi)
				}
				t.depthLabels, t.lateralLabels = k == 0, i == len(rows)-1
				p.drawTile(t, p.rect(g.x(k)+inset, y, width, height))
			}
			y += height + g.rowGapMM
		}
		y += g.axisMM
		const barMM = 2.6
		p.barBelow(kpa, p.rect(g.x(1), y, g.x(2)+g.columnMM-g.x(1), barMM))
		p.barBelow(deviation, p.rect(g.x(3), y, g.columnMM, barMM))
		if withSigma {
			p.barBelow(spread, p.rect(g.x(4), y, g.columnMM, barMM))
		}
		p.panelKey(g.x(0), y+barMM/2, outlined)
	}
	return newFigure(name, g.widthMM, g.totalMM, st, panelsAlt(rows, kpa, deviation, withSigma), paint), nil
}

// layout is where the panels lie on the page, in mm of paper.
type layout struct {
	widthMM, totalMM            float64
	leftMM, columnMM, columnGap float64
	headMM, rowTitleMM          float64
	rowGapMM, axisMM            float64
	paperPerMM                  float64 // mm of paper for a mm of tissue
}

func (g layout) x(column int) float64 { return g.leftMM + float64(column)*(g.columnMM+g.columnGap) }

func panelGrid(rows []PanelRow, columns int) layout {
	const pageMM, footMM = 225.0, 10.5
	g := layout{widthMM: doubleColumnMM, leftMM: 11, columnGap: 3.4, headMM: 5, rowTitleMM: 4, rowGapMM: 2.2, axisMM: 7.6}
	widest, tall := 0.0, 0.0
	for _, r := range rows {
		widest = math.Max(widest, r.BMode.widthMM())
		tall += r.BMode.heightMM()
	}
	gaps := float64(columns-1) * g.columnGap
	g.columnMM = (g.widthMM - g.leftMM - 4 - gaps) / float64(columns)
	fixed := g.headMM + float64(len(rows))*(g.rowTitleMM+g.rowGapMM) + g.axisMM + footMM
	g.paperPerMM = g.columnMM / widest
	if limit := math.Max(60, pageMM-fixed) / tall; limit < g.paperPerMM {
		g.paperPerMM = limit
		g.columnMM = math.Max(limit*widest, 24) // room for a column's title
		g.widthMM = g.leftMM + 4 + gaps + float64(columns)*g.columnMM
	}
	g.totalMM = fixed + tall*g.paperPerMM
	return g
}

// panelKey explains, under the B-mode column, what the outlines and the grey mean.
func (p page) panelKey(xMM, yMM float64, outlined bool) {
	y := yMM
	if outlined {
		p.outlineKey(xMM, yMM)
		y += 2 * keyRowMM
	}
	p.SetColor(missingGrey)
	p.Fill(p.rect(xMM, y-1.1, 5, 2.2).Path())
	p.write(tickPen, xMM+6.2, y, middleLeft, "no value")
}

// outlineKey explains the outlines in two rows.
func (p page) outlineKey(xMM, yMM float64) {
	for i, e := range []struct {
		width float64
		text  string
	}{{glandWidth, "gland outline"}, {tumourWidth, "tumour outline"}} {
		y := yMM + float64(i)*keyRowMM
		p.line(solid(ink, 2.2*e.width), xMM, y, xMM+5, y)
		p.line(solid(white, e.width), xMM, y, xMM+5, y)
		p.write(tickPen, xMM+6.2, y, middleLeft, e.text)
	}
}

// elasticityScale is the scale of Young's modulus that a figure's maps share.
func elasticityScale(st Style, fields ...Map) (scale, error) {
	cmap, err := colormapNamed(st.Map)
	if err != nil {
		return scale{}, err
	}
	s := scale{cmap: cmap, hi: st.ScaleMaxKPa, label: "Young's modulus (kPa)"}
	if s.hi == 0 {
		s.hi = roundUp(math.Max(quantile(0.995, fields...), 1))
	}
	s.clips(fields...)
	return s, nil
}

func panelsAlt(rows []PanelRow, kpa, deviation scale, withSigma bool) string {
	var titles []string
	for _, r := range rows {
		titles = append(titles, strings.TrimSpace(r.Title+" "+r.Note))
	}
	columns := "B-mode, measured shear-wave elastography, synthetic elastography and their difference"
	if withSigma {
		columns = "B-mode, measured shear-wave elastography, synthetic elastography, their difference and the uncertainty"
	}
	planes := fmt.Sprintf("%d imaging planes, each as", len(rows))
	if len(rows) == 1 {
		planes = "An imaging plane as"
	}
	return fmt.Sprintf("%s %s, with the outlines of gland and tumour from histopathology. Elasticity from %s to %s kPa, difference from %s to %s kPa. Planes: %s.",
		planes, columns, number(kpa.lo, 0), number(kpa.hi, 0), number(deviation.lo, 0), number(deviation.hi, 0), strings.Join(titles, "; "))
}

// refuse words the error of a figure that cannot be drawn.
func refuse(figure string, err error) error { return fmt.Errorf("plots: %s: %w", figure, err) }
