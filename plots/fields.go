package plots

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// LabelledMap is a panel of SideBySide: a field or a grey image, never both.
type LabelledMap struct {
	Title, Unit string // Unit is that of the field, shown at the colour bar with its quantity, such as "Young's modulus (kPa)"
	// Map names the colour map; "" is the style's, "labels" colours whole numbers as unrelated classes, "diverging" suits signed values.
	Map      string
	Field    *Map
	Gray     *Gray
	Outline  []uint8  // labels as in PanelRow; optional
	Min, Max float64  // ends of the colour scale; both 0 takes them from the data
	Classes  []string // names of the labels from 0 on, for Map "labels"; none means those of histopathology
}

func (m LabelledMap) grid() (height, width int, heightMM, widthMM float64) {
	if m.Field != nil {
		return m.Field.Height, m.Field.Width, m.Field.heightMM(), m.Field.widthMM()
	}
	return m.Gray.Height, m.Gray.Width, m.Gray.heightMM(), m.Gray.widthMM()
}

func (m LabelledMap) validate() error {
	switch {
	case (m.Field == nil) == (m.Gray == nil):
		return errors.New("give either Field or Gray")
	case m.Field != nil:
		if err := m.Field.validate(); err != nil {
			return fmt.Errorf("Field: %w", err)
		}
	default:
		if err := m.Gray.validate(); err != nil {
			return fmt.Errorf("Gray: %w", err)
		}
	}
	if m.Map != categories {
		if _, err := colormapNamed(m.Map); err != nil {
			return fmt.Errorf("Map: %w", err)
		}
	}
	if !finite(m.Min) || !finite(m.Max) || m.Max < m.Min {
		return fmt.Errorf("Min %v, Max %v make no scale", m.Min, m.Max)
	}
	height, width, _, _ := m.grid()
	if n := height * width; len(m.Outline) != 0 && len(m.Outline) != n {
		return fmt.Errorf("Outline: %d values for a grid of %d × %d = %d pixels", len(m.Outline), height, width, n)
	}
	return nil
}

// scaleOf is the colour scale of a field.
func (m LabelledMap) scaleOf(st Style) (scale, error) {
	name := m.Map
	if name == "" {
		name = st.Map
	}
	cmap, err := colormapNamed(name)
	if err != nil {
		return scale{}, err
	}
	s := scale{cmap: cmap, lo: m.Min, hi: m.Max, label: m.Unit}
	if s.lo == 0 && s.hi == 0 {
		values := span(*m.Field)
		most := roundUp(quantile(0.995, *m.Field))
		switch {
		case name == "diverging":
			s.lo, s.hi = -most, most
		case values.lo < 0:
			s.lo, s.hi = -roundUp(-values.lo), roundUp(math.Max(values.hi, 0))
		default:
			s.hi = most
		}
	}
	if s.hi == s.lo {
		s.hi = s.lo + 1
	}
	s.clips(*m.Field)
	return s, nil
}

// Field draws one map with its colour bar. The unit labels the bar; cmap is as LabelledMap's Map.
func Field(m Map, title, unit, cmap string, st Style) (*Figure, error) {
	return row("Field", []LabelledMap{{Title: title, Unit: unit, Map: cmap, Field: &m}}, st)
}

// Grayscale draws one grey image in axes of mm.
func Grayscale(g Gray, title string, st Style) (*Figure, error) {
	return row("Grayscale", []LabelledMap{{Title: title, Gray: &g}}, st)
}

// SideBySide draws panels from left to right, up to four in a line, each with its own scale.
func SideBySide(maps []LabelledMap, st Style) (*Figure, error) { return row("SideBySide", maps, st) }

func row(name string, maps []LabelledMap, st Style) (*Figure, error) {
	if err := st.validate(); err != nil {
		return nil, refuse(name, err)
	}
	if len(maps) == 0 {
		return nil, refuse(name, errors.New("maps: none given"))
	}
	scales := make([]scale, len(maps))
	widest := 0.0
	for i, m := range maps {
		if err := m.validate(); err != nil {
			return nil, refuse(name, fmt.Errorf("maps[%d] (%s): %w", i, m.Title, err))
		}
		if m.Field != nil && m.Map != categories {
			var err error
			if scales[i], err = m.scaleOf(st); err != nil {
				return nil, refuse(name, fmt.Errorf("maps[%d] (%s): %w", i, m.Title, err))
			}
		}
		_, _, _, w := m.grid()
		widest = math.Max(widest, w)
	}
	lines := (len(maps) + 3) / 4
	columns := (len(maps) + lines - 1) / lines
	const left, gap, right, headMM, tickMM, barMM, tallest = 11.0, 4.0, 4.0, 5.0, 8.0, 2.6, 90.0
	figureMM := doubleColumnMM
	if columns == 1 {
		figureMM = singleColumnMM
	} else if columns == 2 {
		figureMM = 130
	}
	columnMM := (figureMM - left - right - gap*float64(columns-1)) / float64(columns)
	paper := columnMM / widest
	for _, m := range maps {
		_, _, h, _ := m.grid()
		paper = math.Min(paper, tallest/h)
	}
	if used := paper * widest; used < columnMM {
		columnMM = math.Max(used, 26)
		figureMM = left + right + gap*float64(columns-1) + columnMM*float64(columns)
	}
	footMM := make([]float64, lines)
	bodyMM := make([]float64, lines)
	total := 0.0
	for i, m := range maps {
		_, _, h, _ := m.grid()
		bodyMM[i/columns] = math.Max(bodyMM[i/columns], h*paper)
		switch {
		case m.Field == nil && len(m.Outline) > 0:
			footMM[i/columns] = math.Max(footMM[i/columns], 2*keyRowMM+1)
		case m.Field == nil:
		case m.Map == categories:
			footMM[i/columns] = math.Max(footMM[i/columns], keyRowMM*float64(len(m.classesOf()))+1)
		default:
			footMM[i/columns] = math.Max(footMM[i/columns], barMM+8)
		}
	}
	for r := range lines {
		total += headMM + bodyMM[r] + tickMM + footMM[r]
	}
	paint := func(p page) {
		y := 0.0
		for i, m := range maps {
			r, k := i/columns, i%columns
			if k == 0 && r > 0 {
				y += headMM + bodyMM[r-1] + tickMM + footMM[r-1]
			}
			height, width, h, w := m.grid()
			x := left + float64(k)*(columnMM+gap)
			p.writeWithin(titlePen, x+columnMM/2, y+3.6, baseCentre, m.Title, columnMM+gap-1)
			t := tile{widthMM: w, heightMM: h, rows: height, cols: width, depthLabels: true, lateralLabels: true}
			t.depthLabels = k == 0
			if len(m.Outline) > 0 {
				t.outline = m.Outline
			}
			barY := y + headMM + bodyMM[r] + tickMM
			switch {
			case m.Gray != nil:
				t.picture = m.Gray.picture()
				if len(m.Outline) > 0 {
					p.outlineKey(x, barY+barMM/2)
				}
			case m.Map == categories:
				t.picture = m.Field.classPicture()
				p.classKey(m, x, barY+barMM/2, columnMM)
			default:
				t.picture = m.Field.picture(scales[i].cmap, scales[i].lo, scales[i].hi)
				p.barBelow(scales[i], p.rect(x, barY, columnMM, barMM))
			}
			p.drawTile(t, p.rect(x+(columnMM-w*paper)/2, y+headMM, w*paper, h*paper))
		}
	}
	var words []string
	for i, m := range maps {
		s := m.Title
		if m.Field != nil && m.Map != categories {
			s += fmt.Sprintf(", %s from %s to %s", m.Unit, number(scales[i].lo, 1), number(scales[i].hi, 1))
		}
		words = append(words, s)
	}
	alt := fmt.Sprintf("Images over depth and lateral position in mm: %s.", strings.Join(words, "; "))
	return newFigure(name, figureMM, total, st, alt, paint), nil
}
