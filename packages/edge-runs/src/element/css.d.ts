/** The builds bundle a stylesheet to its text, minified: see `css-text.ts` in the package's folder. */
declare module "*.css" {
	const text: string;
	export default text;
}
