// Package show puts figures, tables and notes into the cell of a notebook, with alternative text for who can't see them.
//
// It owns the way to the notebook's front end and nothing else. In a program that is no cell, such as an exported notebook, the
// same calls print text and write the figures into the folder "figures" of the working folder.
package show

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"image"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/google/renameio/v2"
	"github.com/janpfeifer/gonb/gonbui"

	"elastography/plots"
)

// figuresDir is where a program that is no cell writes its figures.
const figuresDir = "figures"

// Figure shows a figure as PNG, which stays visible in an untrusted notebook where SVG vanishes. It takes a drawing
// function's two results, so that a cell reads show.Figure(s.Panels()). An error ends the cell with a message.
func Figure(f *plots.Figure, err error) {
	Must(err)
	picture(figurePNG(f), widthMM(f), f.Alt())
}

// figurePNG is a figure for the screen, in the fewest bytes that look the same.
func figurePNG(f *plots.Figure) []byte {
	m, err := f.ScreenImage()
	Must(err)
	return small(m)
}

// widthMM is a figure's width on the screen: larger than on paper, since a reader sits farther off.
func widthMM(f *plots.Figure) float64 {
	width, _ := f.SizeMM()
	return 1.3 * width
}

// Image shows a picture that is no figure, such as a drawing without axes; alt says what there is to see.
func Image(m image.Image, alt string) { picture(small(m), 100, alt) }

func picture(png []byte, widthMM float64, alt string) {
	if gonbui.IsNotebook {
		display(element(png, widthMM, alt))
		return
	}
	sum := sha256.Sum256(png)
	name := filepath.Join(figuresDir, hex.EncodeToString(sum[:4])+".png")
	Must(os.MkdirAll(figuresDir, 0o755))
	Must(renameio.WriteFile(name, png, 0o644))
	fmt.Printf("%s: %s\n", name, alt)
}

// display adds a page to the cell's outputs, and waits until the kernel has it: what it has not read when the cell's program ends
// is lost.
func display(page string) {
	gonbui.DisplayHtml(page)
	gonbui.Sync()
}

// element is a picture as HTML. Its words stand below it too: they name quantities and units, and not only who can't see needs them.
func element(png []byte, widthMM float64, alt string) string {
	words := html.EscapeString(alt)
	return fmt.Sprintf(`<figure style="margin:0"><img alt="%s" style="width:%.0fmm;max-width:100%%" src="data:image/png;base64,%s">`+
		`<figcaption style="max-width:%.0fmm;font-size:85%%;opacity:0.75">%s</figcaption></figure>`,
		words, widthMM, base64.StdEncoding.EncodeToString(png), widthMM, words)
}

// Table shows rows under a header.
func Table(header []string, rows [][]string) {
	if !gonbui.IsNotebook {
		tab := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		for _, r := range append([][]string{header}, rows...) {
			fmt.Fprintln(tab, strings.Join(r, "\t"))
		}
		Must(tab.Flush())
		return
	}
	var b strings.Builder
	line := func(cells []string, tag string) {
		b.WriteString("<tr>")
		for _, c := range cells {
			fmt.Fprintf(&b, "<%s style=\"text-align:left\">%s</%s>", tag, html.EscapeString(c), tag)
		}
		b.WriteString("</tr>")
	}
	b.WriteString("<table>")
	line(header, "th")
	for _, r := range rows {
		line(r, "td")
	}
	b.WriteString("</table>")
	display(b.String())
}

// Note shows a line of text.
func Note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if gonbui.IsNotebook {
		display("<p>" + html.EscapeString(text) + "</p>")
		return
	}
	fmt.Println(text)
}

// Check ends the cell with a message unless ok: the cheap test at the end of a notebook's section.
func Check(ok bool, format string, args ...any) {
	if !ok {
		panic("check failed: " + fmt.Sprintf(format, args...))
	}
	Note("✓ "+format, args...)
}

// Exercise ends the cell with a hint unless solved, and praises otherwise.
func Exercise(solved bool, praise, hint string) {
	if !solved {
		panic("not yet: " + hint)
	}
	Note("✓ %s", praise)
}

// Must ends the cell with the error's message, if there is one: a cell has no caller to return it to.
func Must(err error) {
	if err != nil {
		panic(err.Error())
	}
}
