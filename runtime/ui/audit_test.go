package ui_test

import (
	"bytes"
	"fmt"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
)

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

// Light and dark are different pictures of each page, and in both every text
// stands out from its ground.
func TestContrast(t *testing.T) {
	h := open(t)
	pages := h.pages(h.seed())
	ctx := browser(t)
	b := h.tab(t, ctx, "/palette", 1280, 900)
	for name, path := range pages {
		b.goTo(path)
		for _, theme := range []string{"light", "dark"} {
			// As the server would have sent it, and without the moment in which colours change.
			b.js(`(document.documentElement.dataset.theme="` + theme + `",document.getAnimations().forEach(a=>{try{a.finish()}catch{}}))`)
			b.wait(`getComputedStyle(document.documentElement).colorScheme=="` + theme + `"`)
			if faint := b.js(tooFaint); faint != "" {
				t.Errorf("%s, %s:\n%s", name, theme, faint)
			}
			shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
			h.check(err)
			img, err := png.Decode(bytes.NewReader(shot))
			h.check(err)
			var sum, n float64
			for y := 0; y < img.Bounds().Dy(); y += 9 {
				for x := 0; x < img.Bounds().Dx(); x += 9 {
					r, g, bl, _ := img.At(x, y).RGBA()
					sum += float64(r+g+bl) / 3 / 0xffff
					n++
				}
			}
			if light := sum / n; (theme == "light") != (light > .8) || (theme == "dark") != (light < .25) {
				t.Errorf("%s, %s: its mean brightness is %.2f", name, theme, light)
			}
		}
	}
}

// Assistive technology finds one main, a banner and named navigations, a name
// on every control, picture, group and table region, and headings that skip no level.
func TestAccessibilityTree(t *testing.T) {
	h := open(t)
	pages := h.pages(h.seed())
	b := h.tab(t, browser(t), "/palette", 1280, 900)
	named := []string{"button", "link", "textbox", "searchbox", "combobox", "checkbox", "radio", "switch", "spinbutton", "slider", "image", "navigation", "region", "search", "radiogroup", "log", "dialog", "DisclosureTriangle", "Date", "InputTime", "DateTime"}
	for name, path := range pages {
		b.goTo(path)
		tree, err := chromedp.Call(b.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		h.check(err)
		count, level := map[string]int{}, 0
		names := map[string]bool{}
		for _, n := range tree.Nodes {
			if n.Ignored || n.Role == nil {
				continue
			}
			role, label := text(n.Role), text(n.Name)
			count[role]++
			if slices.Contains(named, role) && strings.TrimSpace(label) == "" {
				t.Errorf("%s: a %s without a name, node %d", name, role, n.BackendDOMNodeID)
			}
			if role == "navigation" {
				if names[label] {
					t.Errorf("%s: two navigations called %q", name, label)
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
					h.check(err)
					if l > level+1 {
						t.Errorf("%s: heading %q of level %d after one of level %d", name, label, l, level)
					}
					level = l
				}
			}
		}
		for _, role := range []string{"main", "banner"} {
			if count[role] != 1 {
				t.Errorf("%s: %d of role %s", name, count[role], role)
			}
		}
		if count["navigation"] == 0 || count["heading"] == 0 {
			t.Errorf("%s: %v", name, count)
		}
	}
}

// text is a value of the tree without its quotes.
func text(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	return strings.Trim(string(v.Value), `"`)
}
