// The contract of all languages: asgi.
import { testLanguage } from '../support/languages/matrix.js';

testLanguage('asgi');
