// The contract of all languages: procfile.
import { testLanguage } from '../support/languages/matrix.js';

testLanguage('procfile');
