package ui_test

import (
	"bytes"
	"flag"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// audit looks at the page that a tab shows.
type audit struct{ *uitest.Tab }

// TestPages looks at every page in one walk: loading one costs more than
// looking at it.
func TestPages(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	pages := h.Pages(h.Seed())
	b := audit{h.Tab(t, uitest.Browser(t), "/palette", 1280, 900)}
	for name, path := range pages {
		b.Forget()
		b.GoTo(path)
		if name == "dashboard" || name == "run-live" {
			b.Wait(`document.querySelector("#live").dataset.state=="up"`)
		}
		b.Wait(`document.fonts.status=="loaded"`)
		b.clean()
		b.light(name)
		b.tree(name)
		b.contrast(name)
		b.phone(name)
		if *shots != "" {
			b.pictures(name, path)
		}
		for _, m := range b.Problems() {
			if name != "not-found" || !strings.Contains(m, "404") {
				t.Errorf("%s: console: %s", name, m)
			}
		}
	}
}

// clean: one h1, no inline style or script, named controls, unique ids.
func (b audit) clean() {
	b.T.Helper()
	b.Want(`document.querySelectorAll("h1").length`, "1")
	b.Want(`document.querySelectorAll("[style],style,script:not([src])").length`, "0")
	b.Want(`[...document.querySelectorAll("a,button,input,select,textarea,summary")].filter(e=>e.checkVisibility()&&!(e.textContent.trim()||e.getAttribute("aria-label")||e.labels?.length||e.title||e.closest("svg"))).map(e=>e.outerHTML.slice(0,120)).join("\n")`, "")
	b.Want(`(()=>{const s=new Set(),d=[];document.querySelectorAll("[id]").forEach(e=>{if(s.has(e.id))d.push(e.id);s.add(e.id)});return d.join()})()`, "")
	b.Want(`document.documentElement.scrollWidth<=innerWidth`, "true")
}

// light: twelve requests for a view, and targets of at least 24 px.
func (b audit) light(name string) {
	b.T.Helper()
	if made := strings.Fields(b.JS(`performance.getEntriesByType("resource").map(e=>e.name.replace(location.origin,"")).filter(n=>!n.includes("/stream")).join(" ")`)); len(made) > 11 {
		b.T.Errorf("%s takes %d requests besides its own: %s", name, len(made), made)
	}
	b.Want(`[...document.querySelectorAll("main :is(button,summary,select,input:not(.ck):not([type=radio])):not(.vh),main a.btn,nav a,.seg a,.seg label")].filter(e=>e.checkVisibility()).map(e=>{const r=e.getBoundingClientRect(),p=getComputedStyle(e,"::before"),x=p.content!="none"&&p.position=="absolute"?-2*parseFloat(p.top||0):0;return [e,r.height+(x>0?x:0),r.width]}).filter(([e,h,w])=>h>0&&(h<24||w<24)).map(([e,h,w])=>e.outerHTML.slice(0,70)+" "+w+"x"+h).slice(0,4).join("\n")`, "")
}

// phone: nothing is wider than a phone, nor than a page at 400 %.
func (b audit) phone(name string) {
	b.T.Helper()
	defer b.Size(1280, 900)
	for _, width := range []int64{390, 320} {
		b.Size(width, 844)
		b.Wait(fmt.Sprintf(`screen.width==%d`, width))
		if w := b.JS(`document.documentElement.scrollWidth`); w != fmt.Sprint(width) {
			b.T.Errorf("%s is %s wide on a phone of %d: %s", name, w, width, b.JS(`[...document.querySelectorAll("main *")].filter(e=>e.getBoundingClientRect().right>innerWidth+1&&!e.closest(".tl,.logbox,.json,.scroll")).slice(0,4).map(e=>e.tagName+"."+e.className).join(" ")`))
		}
	}
}

func (b audit) pictures(name, path string) {
	b.T.Helper()
	for _, theme := range []string{"light", "dark"} {
		b.picture(filepath.Join(*shots, name+"-"+theme+".png"), theme, path)
	}
	b.Size(390, 844)
	for _, theme := range []string{"light", "dark"} {
		b.picture(filepath.Join(*shots, name+"-phone-"+theme+".png"), theme, path)
	}
	b.Size(1280, 900)
}

// tooFaint lists the texts whose contrast with what lies behind them is below
// 4.5:1, by the styles that the browser computed.
const tooFaint = `(()=>{
const cv=document.createElement("canvas");cv.width=cv.height=1;const g=cv.getContext("2d",{willReadFrequently:true}),memo={};
const rgba=c=>memo[c]??=(()=>{g.clearRect(0,0,1,1);g.fillStyle=c;g.fillRect(0,0,1,1);const d=g.getImageData(0,0,1,1).data;return [d[0],d[1],d[2],d[3]/255]})();
const over=(a,b)=>[0,1,2].map(i=>a[i]*a[3]+b[i]*(1-a[3])).concat(1);
const ground=e=>{const s=[];for(let x=e;x;x=x.parentElement){const b=rgba(getComputedStyle(x).backgroundColor);if(b[3]>0){s.push(b);if(b[3]==1)break}}let c=[255,255,255,1];if(!s.length||s.at(-1)[3]<1)s.push(rgba(getComputedStyle(document.body).backgroundColor));for(const b of s.reverse())c=over(b,c);return c};
const lum=c=>{const f=v=>(v/=255)<=.04045?v/12.92:((v+.055)/1.055)**2.4;return .2126*f(c[0])+.7152*f(c[1])+.0722*f(c[2])};
const out=[];const w=document.createTreeWalker(document.body,NodeFilter.SHOW_TEXT);
for(let n;n=w.nextNode();){const e=n.parentElement;if(!n.data.trim()||!e.checkVisibility({opacityProperty:true,visibilityProperty:true})||e.closest("noscript,template,script,.vh,option,[disabled],title,dialog:not([open])"))continue;
 const r=e.getBoundingClientRect();if(!r.width||!r.height)continue;
 const st=getComputedStyle(e),svg=e.namespaceURI.includes("svg"),html=svg?e.closest("svg").parentElement.closest(":not(svg *)")??document.body:e;
 let c=rgba(svg?st.fill:st.color).slice(),o=1;for(let x=e;x;x=x.parentElement)o*=parseFloat(getComputedStyle(x).opacity);c[3]*=o;
 let bg=ground(html);const bar=svg&&e.classList.contains("inb")?e.parentElement.querySelector(".bar"):null;if(bar)bg=over(rgba(getComputedStyle(bar).fill),bg);
 const a=lum(over(c,bg)),b=lum(bg),k=(Math.max(a,b)+.05)/(Math.min(a,b)+.05);
 if(k<4.5)out.push(k.toFixed(2)+" "+e.tagName+"."+(e.getAttribute("class")??"")+" "+n.data.trim().slice(0,30))}
return [...new Set(out)].slice(0,8).join("\n")})()`

// contrast: light and dark are different pictures of a page, and in both every
// text stands out from its ground.
func (b audit) contrast(name string) {
	b.T.Helper()
	for _, theme := range []string{"dark", "light"} {
		// As the server would have sent it, and without the moment in which colours change.
		b.JS(`(document.documentElement.dataset.theme="` + theme + `",document.getAnimations().forEach(a=>{try{a.finish()}catch{}}))`)
		b.Wait(`getComputedStyle(document.documentElement).colorScheme=="` + theme + `"`)
		if faint := b.JS(tooFaint); faint != "" {
			b.T.Errorf("%s, %s:\n%s", name, theme, faint)
		}
		shot, err := chromedp.Call(b.Ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Clip: &page.Viewport{Width: 1280, Height: 900, Scale: .2}})
		b.H.Check(err)
		img, err := png.Decode(bytes.NewReader(shot.Data))
		b.H.Check(err)
		var sum, n float64
		for y := range img.Bounds().Dy() {
			for x := range img.Bounds().Dx() {
				r, g, bl, _ := img.At(x, y).RGBA()
				sum += float64(r+g+bl) / 3 / 0xffff
				n++
			}
		}
		if bright := sum / n; (theme == "light") != (bright > .8) || (theme == "dark") != (bright < .25) {
			b.T.Errorf("%s, %s: its mean brightness is %.2f", name, theme, bright)
		}
	}
}

// named are the roles of what must have a name.
var named = []string{"button", "link", "textbox", "searchbox", "combobox", "checkbox", "radio", "switch", "spinbutton", "slider", "image", "navigation", "region", "search", "radiogroup", "log", "dialog", "DisclosureTriangle", "Date", "InputTime", "DateTime"}

// tree: assistive technology finds one main, a banner and named navigations, a
// name on every control, picture, group and table region, and headings that skip no level.
func (b audit) tree(name string) {
	b.T.Helper()
	tree, err := chromedp.Call(b.Ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	b.H.Check(err)
	count, level := map[string]int{}, 0
	names := map[string]bool{}
	for _, n := range tree.Nodes {
		if n.Ignored || n.Role == nil {
			continue
		}
		role, label := text(n.Role), text(n.Name)
		count[role]++
		if slices.Contains(named, role) && strings.TrimSpace(label) == "" {
			b.T.Errorf("%s: a %s without a name, node %d", name, role, n.BackendDOMNodeID)
		}
		if role == "navigation" {
			if names[label] {
				b.T.Errorf("%s: two navigations called %q", name, label)
			}
			names[label] = true
		}
		if role != "heading" {
			continue
		}
		for _, p := range n.Properties {
			if p.Name == "level" {
				var l int
				_, err := fmt.Sscan(text(p.Value), &l)
				b.H.Check(err)
				if l > level+1 {
					b.T.Errorf("%s: heading %q of level %d after one of level %d", name, label, l, level)
				}
				level = l
			}
		}
	}
	for _, role := range []string{"main", "banner"} {
		if count[role] != 1 {
			b.T.Errorf("%s: %d of role %s", name, count[role], role)
		}
	}
	if count["navigation"] == 0 || count["heading"] == 0 {
		b.T.Errorf("%s: %v", name, count)
	}
}

// text is a value of the tree without its quotes.
func text(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	return strings.Trim(string(v.Value), `"`)
}

var shots = flag.String("shots", "", "a folder to put pictures of every page into")

func (b audit) picture(file, theme, path string) {
	b.T.Helper()
	b.In("Europe/Madrid")
	b.Cookie("fl_theme", theme)
	b.Cookie("fl_tz", "Europe%2FMadrid")
	b.GoTo(path)
	b.Wait(`document.fonts.status=="loaded"`)
	var w, whole int64
	if _, err := fmt.Sscan(b.JS(`innerWidth+" "+Math.max(innerHeight,document.documentElement.scrollHeight)`), &w, &whole); err != nil {
		b.T.Fatal(err)
	}
	b.Size(w, whole)
	defer b.Size(w, map[bool]int64{true: 844, false: 900}[w < 600])
	png, err := chromedp.Run(b.Ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(file, png, 0o644)
	}
	if err != nil {
		b.T.Fatal(err)
	}
}
